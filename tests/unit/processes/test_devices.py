"""GPU leases; the tests need no GPU, only names of devices."""

import multiprocessing
import os
import signal
import time

import pytest

from netsurgery.processes import devices

DEVICES = ["0", "GPU-8932f937"]


def hold(folder, jobs_per_gpu, queue):
    held = devices.lease(DEVICES, jobs_per_gpu, folder)
    queue.put((os.getpid(), held.device))
    time.sleep(60)


@pytest.fixture
def holders(tmp_path):
    """A function that starts processes which each hold a lease; they are killed at the end."""
    context = multiprocessing.get_context("fork")
    queue, started = context.Queue(), []

    def start(count, jobs_per_gpu):
        for _ in range(count):
            started.append(context.Process(target=hold, args=(tmp_path, jobs_per_gpu, queue)))
            started[-1].start()
        return [queue.get(timeout=20) for _ in range(count)]

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.mark.parametrize("jobs_per_gpu", [1, 3])
def test_jobs_share_the_devices_evenly(jobs_per_gpu, holders):
    held = [device for _, device in holders(2 * jobs_per_gpu, jobs_per_gpu)]
    assert sorted(held) == sorted(DEVICES * jobs_per_gpu)


def test_first_slots_of_all_devices_are_leased_first(tmp_path):
    held = [devices.lease(DEVICES, 2, tmp_path) for _ in range(4)]
    assert [one.device for one in held] == DEVICES * 2


def test_the_slot_of_a_killed_process_is_released(tmp_path, holders):
    (first, device), _ = holders(2, 1)
    os.kill(first, signal.SIGKILL)
    assert devices.lease(DEVICES, 1, tmp_path).device == device


def test_a_leased_slot_is_not_leased_again(tmp_path, holders, monkeypatch):
    holders(2, 1)
    attempts = []

    def count(_):
        attempts.append(1)
        if len(attempts) == 3:
            raise TimeoutError

    monkeypatch.setattr(devices.time, "sleep", count)
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
def test_visible_devices_are_those_of_cuda(environment, expected, tmp_path):
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / name).mkdir()
    assert devices.visible_devices(environment, tmp_path) == expected


def test_a_claim_restricts_a_process_to_one_device(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6")
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "")
    monkeypatch.setattr(devices, "lease_folder", lambda: tmp_path)
    first = devices.claim()
    assert (first.device, os.environ["CUDA_VISIBLE_DEVICES"]) == ("5", "5")
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    first.close()


def test_without_a_gpu_nothing_is_leased(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert devices.claim() is None
