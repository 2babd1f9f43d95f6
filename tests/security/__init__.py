"""Input from anywhere: nothing of it is executed, nothing leaves its folder, and every refusal says why."""
