"""Faults of the system under a program: a clock that jumps, a file system without locks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

CODE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

/* Seconds that a file gives are added to what the clock says, each time that it is asked. */
static long shift(void) {
    const char *name = getenv("TESTS_CLOCK");
    FILE *file = name ? fopen(name, "r") : NULL;
    long seconds = 0;
    if (file) {
        if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
        fclose(file);
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec += shift();
    return result;
}

time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place) *place = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict place, void *restrict zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    place->tv_sec = now.tv_sec;
    place->tv_usec = now.tv_nsec / 1000;
    return 0;
}

int flock(int file, int operation) {
    static int (*real)(int, int);
    const char *fault = getenv("TESTS_FLOCK");
    if (fault && *fault) {
        errno = atoi(fault);
        return -1;
    }
    if (!real) real = dlsym(RTLD_NEXT, "flock");
    return real(file, operation);
}
"""


def shim(folder: Path) -> Mapping[str, str]:
    """The environment of programs that meet these faults; skips where no library can be put before theirs."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not Path("/proc/self").exists():
        pytest.skip("there is no C compiler here, or no LD_PRELOAD")
    (folder / "shim.c").write_text(CODE)
    command = [compiler, "-shared", "-fPIC", "-o", "shim.so", "shim.c", "-ldl"]
    subprocess.run(command, cwd=folder, check=True)
    before = os.environ.get("LD_PRELOAD", "")
    return {"LD_PRELOAD": f"{folder / 'shim.so'}{':' if before else ''}{before}"}
