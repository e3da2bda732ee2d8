"""How fast a model is: measured by an injected clock, stored for this machine alone, refined."""

import json

import pytest
from rag_material import Ticking

from index.paths import Home
from rag.fakes import CopyingGenerator
from rag.speed import Machine, Speed, Speedometer, measure_speed

HERE = Machine("small 1234", "int8", "Some Processor", 2)


def speedometer(generator, file, machine=HERE):
    return Speedometer(generator, file=file, machine=lambda: machine, clock=generator.clock)


def test_measuring_gives_what_the_clock_says():
    generator = Ticking(prefill=200.0, decode=8.0)
    speed = measure_speed(generator, clock=generator.clock)
    assert speed.prefill_tokens_s == pytest.approx(200.0)
    assert speed.decode_tokens_s == pytest.approx(8.0)
    assert generator.usage().passes == 3  # to bring it to memory, to read, to write


def test_one_that_says_nothing_and_takes_no_time_has_a_speed_too():
    class Silent(CopyingGenerator):
        def generate(self, messages, *, max_tokens):
            yield from ()

    speed = measure_speed(Silent(), clock=lambda: 0.0)
    assert (speed.prefill_tokens_s > 0, speed.decode_tokens_s) == (True, pytest.approx(speed.prefill_tokens_s / 20))


def test_it_is_measured_once_and_stored_for_this_model_precision_and_processor(tmp_path):
    file = Home(tmp_path / "home").speeds
    assert file.name == "speed.json"
    first = speedometer(Ticking(prefill=200.0, decode=8.0), file)
    assert not first.known
    assert first.speed().prefill_tokens_s == pytest.approx(200.0)
    assert first.known
    (key,) = json.loads(file.read_text())["speeds"]
    assert key == "small 1234 | int8 | Some Processor | 2 threads"
    # Stored: only the weights are brought to memory.
    again = Ticking(prefill=100.0, decode=4.0)
    assert speedometer(again, file).speed().decode_tokens_s == pytest.approx(8.0)
    assert again.usage().passes == 1


@pytest.mark.parametrize(
    "other",
    [
        Machine("default 5678", "int8", "Some Processor", 2),
        Machine("small 1234", "bfloat16", "Some Processor", 2),
        Machine("small 1234", "int8", "Another Processor", 2),
        Machine("small 1234", "int8", "Some Processor", 1),
    ],
)
def test_another_machine_is_measured_anew_and_the_first_is_kept(tmp_path, other):
    file = tmp_path / "speed.json"
    speedometer(Ticking(prefill=200.0, decode=8.0), file).speed()
    slower = Ticking(prefill=100.0, decode=4.0)
    assert speedometer(slower, file, other).speed().prefill_tokens_s == pytest.approx(100.0)
    assert len(json.loads(file.read_text())["speeds"]) == 2
    assert speedometer(slower, file).speed().prefill_tokens_s == pytest.approx(200.0)


KEY = "small 1234 | int8 | Some Processor | 2 threads"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"format": 0, "speeds": {}}',
        b'{"format": 1, "speeds": []}',
        json.dumps({"format": 1, "speeds": {KEY: {"prefill_tokens_s": -1.0, "decode_tokens_s": 8.0}}}).encode(),
        json.dumps({"format": 1, "speeds": {KEY: {"prefill_tokens_s": "many", "decode_tokens_s": 8.0}}}).encode(),
        json.dumps({"format": 1, "speeds": {KEY: {"prefill_tokens_s": float("inf"), "decode_tokens_s": 8}}}).encode(),
        json.dumps({"format": 1, "speeds": {KEY: {"prefill_tokens_s": 100.0}}}).encode(),
        json.dumps({"format": 1, "speeds": {KEY: True}}).encode(),
    ],
)
def test_a_damaged_file_is_measured_over(tmp_path, damaged):
    file = tmp_path / "speed.json"
    file.write_bytes(damaged)
    assert speedometer(Ticking(prefill=200.0, decode=8.0), file).speed().prefill_tokens_s == pytest.approx(200.0)
    assert json.loads(file.read_text())["speeds"][KEY]["decode_tokens_s"] == pytest.approx(8.0)


def test_a_disk_that_takes_nothing_is_no_error(tmp_path):
    (tmp_path / "home").write_text("a file in the place of the folder")
    found = speedometer(Ticking(prefill=200.0, decode=8.0), tmp_path / "home" / "speed.json").speed()
    assert found.prefill_tokens_s == pytest.approx(200.0)


def test_what_is_seen_later_counts_half_in_seconds_a_token(tmp_path):
    file = tmp_path / "speed.json"
    meter = speedometer(Ticking(prefill=200.0, decode=10.0), file)
    meter.saw(read=500, took_s=10.0)  # before anything is known: nothing to refine
    meter.speed()
    meter.saw(read=500, took_s=10.0)  # 50 a second
    assert meter.speed().prefill_tokens_s == pytest.approx(1 / (0.5 / 200 + 0.5 / 50))
    meter.saw(written=20, took_s=1.0)
    assert meter.speed().decode_tokens_s == pytest.approx(1 / (0.5 / 10 + 0.5 / 20))
    before = meter.speed()
    meter.saw(read=63, took_s=9.0)  # too short to tell
    meter.saw(written=7, took_s=9.0)
    assert meter.speed() == before
    meter.keep()
    assert speedometer(Ticking(prefill=1.0, decode=1.0), file).speed() == before


def test_a_slow_model_is_not_kept_writing_to_be_measured():
    generator = Ticking(prefill=200.0, decode=0.5)
    begun = generator.now
    speed = measure_speed(generator, clock=generator.clock)
    assert speed.decode_tokens_s == pytest.approx(0.5)
    assert generator.usage().tokens_written == 13  # the first, which comes with reading, and twelve
    assert generator.now - begun <= 32.0


def test_what_led_to_a_refusal_is_measured_anew_unless_it_was_just_now(tmp_path):
    file = tmp_path / "speed.json"
    first = speedometer(Ticking(prefill=20.0, decode=1.0), file)
    first.speed()
    first.doubt()
    assert first.known
    # Another time, when the machine is not busy any more: the file says otherwise until it is doubted.
    free = Ticking(prefill=200.0, decode=10.0)
    later = speedometer(free, file)
    assert later.speed().prefill_tokens_s == pytest.approx(20.0)
    later.doubt()
    assert not later.known
    assert speedometer(Ticking(prefill=300.0, decode=9.0), file).speed().prefill_tokens_s == pytest.approx(300.0)
    free.now += 100.0
    later.doubt()
    assert later.speed().prefill_tokens_s == pytest.approx(200.0)


def test_refusals_raise_what_is_expected_up_to_the_best_that_was_seen(tmp_path):
    machine = speedometer(Ticking(prefill=200.0, decode=10.0), tmp_path / "speed.json")
    machine.speed()
    machine.doubt()
    assert machine.known == Speed(pytest.approx(200.0), pytest.approx(10.0))  # it was never faster
    machine.saw(read=200, took_s=2.0)
    assert machine.known.prefill_tokens_s == pytest.approx(133.33, abs=0.01)
    machine.doubt()
    assert machine.known == Speed(pytest.approx(146.67, abs=0.01), pytest.approx(10.0))
    for _ in range(5):
        machine.doubt()
    assert machine.known == Speed(pytest.approx(200.0), pytest.approx(10.0))


def test_a_slowed_machine_takes_so_many_times_as_long():
    assert Speed(100.0, 10.0).slowed(2.0) == Speed(50.0, 5.0)
