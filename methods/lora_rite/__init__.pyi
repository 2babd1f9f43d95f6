from methods.lora_rite.baselines import Lamb as Lamb
from methods.lora_rite.baselines import LoraPlus as LoraPlus
from methods.lora_rite.baselines import ScaledAdam as ScaledAdam
from methods.lora_rite.baselines import ScaledGD as ScaledGD
from methods.lora_rite.baselines import Shampoo as Shampoo
from methods.lora_rite.optimizer import LoraRite as LoraRite
from methods.lora_rite.pairs import Pair as Pair
from methods.lora_rite.pairs import find_pairs as find_pairs
