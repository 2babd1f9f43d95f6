"""Decisions for a metric on models, tables and endpoints of one's own, and RAFT in ``Trainer``."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.cli.main import main
from harness.errors import ExitCode
from harness.method import ProblemError
from methods.common.causal_lm import load_checkpoint
from methods.common.language_model.interface import Completion, Decoding, LanguageModel, NextToken
from methods.common.stand_ins.models import TinyModel
from methods.metric_aware import losses
from methods.metric_aware.deciding import METRICS, MetricAware, decisions, from_answers
from methods.metric_aware.distributions import Predictive
from methods.metric_aware.raft import raft_loss
from methods.metric_aware.raft_loss import RaftBatches, RaftLoss, grid_tokens

GRID = (1.0, 2.0, 3.0, 4.0, 5.0)
PROMPTS = ["Review: a fine day out\nRating:", "Review: never again\nRating:"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    """A folder with a random model, the model, and its tokenizer."""
    folder = tmp_path_factory.mktemp("tiny")
    TinyModel("qwen2").make(folder)
    kept = load_checkpoint(folder)
    return folder, kept.model("cpu", "float32"), kept.tokenizer


def laws(seed: int = 0, rows: int = 6) -> Predictive:
    law = np.random.default_rng(seed).dirichlet(np.full(5, 0.7), size=rows)
    return Predictive(np.array(GRID), law, np.ones(rows))


BEST = {
    "accuracy": losses.zero_one,
    "rmse": losses.squared,
    "mae": losses.absolute,
    "mape": losses.relative,
    "mspe": losses.squared_relative,
    "msle": losses.squared_log,
    "pinball:0.9": losses.pinball(0.9),
    "huber:0.5": losses.huber(0.5),
    "within:0.5": losses.miss(0.5),
}


@pytest.mark.parametrize("metric", BEST)
def test_no_point_of_a_fine_grid_has_a_smaller_expected_loss(metric: str) -> None:
    predicted = laws()
    found = decisions(predicted, metric)
    points = np.linspace(0.5, 5.5, 501)
    for law, decision in zip(predicted.law, found, strict=True):
        costs = [law @ BEST[metric](np.array(GRID), np.full(5, point)) for point in points]
        own = law @ BEST[metric](np.array(GRID), np.full(5, decision))
        assert own <= min(costs) + 1e-9


def test_probabilities_rank_for_auc_and_expected_ranks_for_spearman() -> None:
    predicted = laws()
    np.testing.assert_allclose(decisions(predicted, "auc:4"), predicted.law[:, 3:].sum(axis=1))
    margin = predicted.law.mean(axis=0)
    ranks = [margin[:place].sum() + margin[place] / 2 for place in range(5)]
    np.testing.assert_allclose(decisions(predicted, "spearman"), predicted.law @ ranks)


@pytest.mark.parametrize("metric", ["f1", "pinball:1", "huber:0", "auc", "auc:x", "within:nan", "mae:2", ""])
def test_unknown_metrics_are_refused_with_the_known(metric: str) -> None:
    with pytest.raises(ProblemError, match="no metric") as error:
        decisions(laws(), metric)
    assert all(name in str(error.value) for name in METRICS)


def test_a_grid_with_zero_is_refused_for_relative_errors() -> None:
    with pytest.raises(ProblemError, match="divides by the truth"):
        MetricAware(Scripted({}), grid=(0, 1), metric="mape")


class Scripted(LanguageModel):
    """Answers from a table: of each prompt the log-probability of each value's text."""

    def __init__(self, table: dict[str, dict[str, float]], answers: tuple[str, ...] = ()) -> None:
        super().__init__("scripted", "scripted")
        self.table, self.answers = table, answers

    def score(self, prompts: Any, options: Any) -> list[list[float]]:
        return [
            [self.table[prompt].get(option, -np.inf) for option in some]
            for prompt, some in zip(prompts, options, strict=True)
        ]

    def sample(
        self, prompts: Any, decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        drawn = [Completion(text, 1, finished=True, log_probability=0.0) for text in self.answers[:count]]
        return [drawn for _ in prompts]

    def next_token(self, prompts: Any, *, most: int | None = None) -> list[NextToken]:
        return [NextToken(self.table[prompt], 0.1) for prompt in prompts]


def test_scores_of_whole_texts_are_decided() -> None:
    law = {" 1\n": 0.1, " 2\n": 0.05, " 10\n": 0.35}
    judge = MetricAware(
        Scripted({"p": {text: np.log(p) for text, p in law.items()}}), grid=(1, 2, 10), metric="rmse"
    )
    predicted = judge.predict(["p"])
    assert predicted.mass[0] == pytest.approx(0.5)
    assert judge.decide(["p"])[0] == pytest.approx((0.1 + 0.1 + 3.5) / 0.5)


def test_the_next_token_counts_all_spellings_of_a_value() -> None:
    table = {"p": {"Ġ4": np.log(0.3), "4": np.log(0.1), "▁5": np.log(0.2), "x": np.log(0.2)}}
    judge = MetricAware(Scripted(table), grid=(4, 5), metric="accuracy", how="next-token")
    np.testing.assert_allclose(judge.predict(["p"]).law, [[2 / 3, 1 / 3]])
    assert judge.decide(["p"])[0] == 4


def test_sampled_answers_are_counted() -> None:
    answers = (" 4\n", "4 out of 5", "5", "no idea")
    judge = MetricAware(Scripted({}, answers), metric="rmse", how="sample", samples=4)
    assert judge.decide(["p", "q"]).tolist() == pytest.approx([13 / 3] * 2)
    with pytest.raises(ProblemError, match="No answer to input 1"):
        from_answers([["3"], ["none"]], GRID)


def test_what_cannot_be_decided_is_refused(tiny: tuple[Path, Any, Any]) -> None:
    with pytest.raises(ProblemError, match="not ascending"):
        MetricAware(Scripted({}), grid=(2, 1))
    with pytest.raises(ProblemError, match="one token"):
        MetricAware(Scripted({}), grid=(9, 10), how="next-token")
    with pytest.raises(ProblemError, match="needs its tokenizer"):
        MetricAware(tiny[1])
    with pytest.raises(ProblemError, match="any probability after prompt 1"):
        MetricAware(Scripted({"p": {" 1\n": -1.0}, "q": {}})).decide(["p", "q"])
    with pytest.raises(ProblemError, match="nothing to ask"):
        MetricAware(Scripted({})).decide([])


def test_a_model_of_transformers_and_its_folder_decide_alike(tiny: tuple[Path, Any, Any]) -> None:
    folder, model, tokenizer = tiny
    first = MetricAware(model, tokenizer, grid=(0, 1), metric="rmse").decide(PROMPTS)
    second = MetricAware(folder, grid=(0, 1), metric="rmse").decide(PROMPTS)
    np.testing.assert_allclose(second, first, rtol=1e-5)
    assert ((first > 0) & (first < 1)).all()


def test_an_endpoint_decides_as_the_model_behind_it(tiny: tuple[Path, Any, Any]) -> None:
    pytest.importorskip("openai")
    from methods.common.language_model.endpoint import Server
    from methods.common.language_model.local import LocalModel
    from methods.common.language_model.served import open_endpoint
    from methods.common.stand_ins.server import Served, listening

    local = LocalModel("tiny", "tiny", *tiny[1:])
    served = Served(local)
    with listening(served):
        far = MetricAware(
            open_endpoint(Server(served.address, "tiny", retries=0)), grid=(1, 2), metric="rmse"
        )
        near = MetricAware(local, grid=(1, 2), metric="rmse")
        np.testing.assert_allclose(far.decide(PROMPTS), near.decide(PROMPTS), atol=1e-3)


def test_scores_are_the_probabilities_that_the_model_gives(tiny: tuple[Path, Any, Any]) -> None:
    """By hand: the sum of the log-probabilities of an option's tokens, over all options."""
    _, model, tokenizer = tiny
    found = MetricAware(model, tokenizer, grid=(1, 10), metric="rmse").predict(PROMPTS[:1])
    totals = []
    for option in (" 1\n", " 10\n"):
        before, whole = tokenizer.encode(PROMPTS[0]), tokenizer.encode(PROMPTS[0] + option)
        with torch.no_grad():
            laws_of = model(torch.tensor([whole])).logits[0].log_softmax(-1)
        places = range(len(before) - 1, len(whole) - 1)
        totals.append(sum(float(laws_of[place, whole[place + 1]]) for place in places))
    np.testing.assert_allclose(found.law[0], np.exp(totals) / np.exp(totals).sum(), rtol=1e-4)


def test_raft_loss_is_that_of_the_suite(tiny: tuple[Path, Any, Any]) -> None:
    _, model, tokenizer = tiny
    loss = RaftLoss(tokenizer, grid=GRID)
    rows = [{"text": text, "label": label} for text, label in zip(PROMPTS, (3.7, 1.0), strict=True)]
    batch = RaftBatches(tokenizer)(rows)
    labels = batch.pop("labels")
    outputs = model(**batch)
    ids = grid_tokens(tokenizer, GRID)
    alone = torch.stack([model(torch.tensor([tokenizer.encode(text)])).logits[0, -1] for text in PROMPTS])
    expected = raft_loss(alone[:, ids], torch.tensor(GRID), labels)
    torch.testing.assert_close(loss(outputs, labels), expected.mean(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(loss(outputs, labels, 4), expected.sum() / 4, rtol=1e-4, atol=1e-5)
    whole = RaftLoss(tokenizer, grid=GRID, normalise=False).predict(alone)
    torch.testing.assert_close(whole, alone.softmax(-1)[:, ids] @ torch.tensor(GRID))
    with pytest.raises(ProblemError, match="from 1 to 5"):
        loss(outputs, torch.tensor([0.0, 3.0]))


def test_a_tokenizer_that_splits_values_is_told(tiny: tuple[Path, Any, Any]) -> None:
    with pytest.raises(ProblemError, match="splits '12345'"):
        RaftLoss(tiny[2], grid=(1, 12345))


def test_batches_say_what_a_row_lacks(tiny: tuple[Path, Any, Any]) -> None:
    with pytest.raises(ProblemError, match=r"fields \['text'\]"):
        RaftBatches(tiny[2])([{"text": "a"}])


def test_trainer_lowers_the_loss(tiny: tuple[Path, Any, Any], tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

    folder, _, tokenizer = tiny
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(folder)
    rows: Any = [{"text": text, "label": label} for text, label in zip(PROMPTS, (4.4, 1.6), strict=True)] * 8
    loss, batches = RaftLoss(tokenizer, grid=GRID), RaftBatches(tokenizer)

    def error() -> float:
        batch = batches(rows[:2])
        labels = batch.pop("labels")
        with torch.no_grad():
            return float(loss(model.eval()(**batch), labels))

    before = error()
    settings = TrainingArguments(
        str(tmp_path),
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        num_train_epochs=15,
        learning_rate=3e-3,
        remove_unused_columns=False,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
    )
    Trainer(model, settings, train_dataset=rows, data_collator=batches, compute_loss_func=loss).train()
    assert error() < 0.5 * before


def decided(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    capsys.readouterr()
    assert main(["decide", *arguments]) == ExitCode.OK, capsys.readouterr().err
    return list(csv.DictReader(StringIO(capsys.readouterr().out)))


def written(folder: Path, text: str) -> str:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_command_decides_a_table_of_probabilities(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Columns in any order, others beside them.
    path = written(tmp_path, "id,2,1,4\na,.3,.3,.4\nb,.0,.1,.1\n")
    rows = decided(capsys, path, "--metric", "mae")
    assert [(row["id"], float(row["decision"])) for row in rows] == [("a", 2.0), ("b", 1.0)]
    assert float(decided(capsys, path, "--metric", "rmse")[1]["decision"]) == pytest.approx(2.5)


def test_the_command_decides_log_probabilities_at_a_temperature(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, f"1,3\n{np.log(0.2)},{np.log(0.4)}\n{np.log(0.5)},-inf\n")
    rows = decided(capsys, path, "--metric", "rmse", "--logs", "--temperature", "0.5")
    assert float(rows[0]["decision"]) == pytest.approx((0.04 + 3 * 0.16) / 0.2)
    assert float(rows[1]["decision"]) == 1


def test_the_command_decides_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "text,sample1,sample2,sample3\nfine,4,4/5,Rating: 5\nbad,1,,2\n")
    rows = decided(capsys, path, "--metric", "rmse", "--grid", "1,2,3,4,5")
    assert [float(row["decision"]) for row in rows] == pytest.approx([13 / 3, 1.5])


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        ("1,2\n.7,.7\n", "", "line 2"),
        ("1,2\n.5,.5\n-.1,.5\n", "", "line 3"),
        ("1,2\n-1,-2\n", "", "not negative"),
        ("1,2\n.5,.5\n", "--logs", "at most 0"),
        ("1,2\n.5,x\n", "", "'x' is no number"),
        ("1,1.0\n.5,.5\n", "", "Two columns are named 1"),
        ("a,b\n1,2\n", "", "no columns that are named by values"),
        ("sample1\n3\n", "", "--grid"),
        ("sample1\n3\n", "--grid 3,1", "no ascending values"),
        ("sample1\nnone\n", "--grid 1,2", r"No answer to table.csv, line 2, states a number from 1 to 2"),
        ("1,2\n.5,.5\n", "--temperature 2", "needs log-probabilities"),
        ("1,decision\n.5,.5\n", "", "already"),
        ("1,2\n.5,.5\n0,0\n", "", "line 3).\n  Leave the row out"),
        ("1,2\n.5,nan\n", "", "hold no number"),
        ("1,2\n-1,nan\n", "--logs", "hold no number"),
        ("1,2\n-inf,-inf\n", "--logs", "no finite log-probability"),
        ("1,2\n.5,\n", "", "fill in what is missing"),
        ("1;2\n0,5;0,5\n", "", "Write decimals with a point"),
        ("1,2\n30,70\n", "", "percentages: they sum to 100"),
        ("2024,1,2\n7,.5,.5\n", "", "columns 1, 2, 2024 hold numbers that sum to 8"),
        ("1,2\n.5,.5\n", "--grid 1,2,3", "no column for 3"),
    ],
)
def test_bad_tables_say_what_and_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, more: str, told: str
) -> None:
    assert main(["decide", written(tmp_path, text), "--metric", "mae", *more.split()]) == ExitCode.USAGE
    assert told in capsys.readouterr().err


def test_a_grid_names_the_columns_of_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where another column is called by a number, such as a year."""
    path = written(tmp_path, "2024,1,2\n7,.3,.7\n")
    rows = decided(capsys, path, "--metric", "rmse", "--grid", "1,2")
    assert rows == [{"2024": "7", "1": ".3", "2": ".7", "decision": "1.7"}]


def test_answers_that_are_left_out_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "sample1,sample2,sample3\n1,good,2\n7,2,\n")
    assert main(["decide", path, "--metric", "mae", "--grid", "1,2"]) == ExitCode.OK
    assert "2 of 5 answers state no number from 1 to 2: left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("MAE", r"no metric.*\n?.*Write mae"),
        ("auc", "needs a number, from which grades count as high"),
        ("pinball:2", "needs a number between 0 and 1"),
        ("huber:-1", "needs a number above 0"),
        ("auc:6", "calls all values from 1 to 5 the same"),
        ("auc:1", "calls all values from 1 to 5 the same"),
        ("f1", "Known: accuracy"),
    ],
)
def test_metrics_without_a_decision_are_told(metric: str, told: str) -> None:
    with pytest.raises(ProblemError, match=told) as caught:
        decisions(laws(), metric)
    assert caught.value.fix


def test_what_is_no_grid_no_way_and_no_list_of_prompts(tiny: tuple[Path, Any, Any]) -> None:
    _, model, tokenizer = tiny
    with pytest.raises(ProblemError, match="not of numbers"):
        MetricAware(model, tokenizer, grid=("bad", "good"))  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="no way of asking"):
        MetricAware(model, tokenizer, how="scores")  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="list of texts"):
        MetricAware(model, tokenizer).decide(PROMPTS[0])


def test_raft_reads_what_a_model_gives(tiny: tuple[Path, Any, Any]) -> None:
    _, model, tokenizer = tiny
    loss, batches = RaftLoss(tokenizer, grid=GRID), RaftBatches(tokenizer)
    batch = batches(
        [{"text": "a fine day\n", "label": np.int64(4)}, {"text": "never again, no\n", "label": 1.5}]
    )
    labels = batch.pop("labels")
    with torch.no_grad():
        outputs = model(**batch)
    found = loss.predict(outputs.logits)
    assert torch.equal(found, loss.predict(outputs.logits[:, -1]))
    assert loss(outputs, labels).item() == pytest.approx((found - labels).square().mean().item())
    with pytest.raises(ProblemError, match="shape"):
        loss.predict(outputs.logits[0, -1])
    with pytest.raises(ProblemError, match=r"label 9 is not a number from 1 to 5 .*row 1"):
        loss(outputs, torch.tensor([3.0, 9.0]))
    with pytest.raises(ProblemError, match="label '5'"):
        batches([{"text": "a", "label": "5"}])
