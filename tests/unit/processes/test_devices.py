"""GPUs are leased: no GPU is needed for that, only names of devices."""

import multiprocessing
import os
import signal
import time

import pytest

from netsurgery.processes import devices

DEVICES = ["0", "GPU-8932f937"]


def hold(folder, slots, queue):
    held = devices.lease(DEVICES, slots, folder)
    queue.put((os.getpid(), held.device))
    time.sleep(60)


@pytest.fixture
def holders(tmp_path):
    """A function that starts processes with a lease each; they are killed in the end."""
    context = multiprocessing.get_context("fork")
    queue, started = context.Queue(), []

    def start(count, slots):
        for _ in range(count):
            started.append(context.Process(target=hold, args=(tmp_path, slots, queue)))
            started[-1].start()
        return [queue.get(timeout=20) for _ in range(count)]

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.mark.parametrize(("slots", "each"), [(1, 1), (3, 3)])
def test_jobs_share_the_devices_evenly(slots, each, holders):
    held = [device for _, device in holders(2 * slots, slots)]
    assert sorted(held) == sorted(DEVICES * each)


def test_the_first_place_of_every_device_is_taken_before_the_second_of_any(tmp_path):
    held = [devices.lease(DEVICES, 2, tmp_path) for _ in range(4)]
    assert [one.device for one in held] == DEVICES * 2


def test_a_killed_holder_s_device_goes_to_who_waits(tmp_path, holders):
    (first, device), _ = holders(2, 1)
    os.kill(first, signal.SIGKILL)
    assert devices.lease(DEVICES, 1, tmp_path).device == device


def test_nobody_gets_a_device_that_is_taken(tmp_path, holders, monkeypatch):
    holders(2, 1)
    looks = []

    def look(_):
        looks.append(1)
        if len(looks) == 3:
            raise TimeoutError

    monkeypatch.setattr(devices.time, "sleep", look)
    with pytest.raises(TimeoutError):
        devices.lease(DEVICES, 1, tmp_path)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ["0", "1"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, []),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, []),
        ({"CUDA_VISIBLE_DEVICES": "3, 1"}, ["3", "1"]),
        ({"CUDA_VISIBLE_DEVICES": "2,-1,0"}, ["2"]),
        ({"CUDA_VISIBLE_DEVICES": "MIG-a/b,GPU-c"}, ["MIG-a/b", "GPU-c"]),
    ],
)
def test_devices_are_those_that_cuda_would_see(environment, expected, tmp_path):
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / name).mkdir()
    assert devices.visible_devices(environment, tmp_path) == expected


def test_a_claim_leaves_its_process_one_device_and_no_more_memory_than_it_needs(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6")
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "")
    monkeypatch.setattr(devices, "lease_folder", lambda: tmp_path)
    first = devices.claim()
    assert (first.device, os.environ["CUDA_VISIBLE_DEVICES"]) == ("5", "5")
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    first.close()


def test_without_a_gpu_nothing_is_claimed(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert devices.claim() is None
