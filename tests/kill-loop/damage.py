"""What disks do to files."""

import contextlib
import os
import subprocess

# The last record in a segment, and then some: a removal beyond that is known to nobody else.
TAIL = 512 << 10


def files(folder, name):
    inner = folder / name
    return sorted(path for path in inner.iterdir() if path.suffix != ".part") if inner.is_dir() else []


def flip(path, chance, end=None):
    """One bit before `end`."""
    size = min(path.stat().st_size, end if end is not None else 1 << 60)
    if size <= 0:
        return 0
    place = chance.randrange(size)
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << chance.randrange(8)]))
    return 1


def flip_in_segments(folder, chance):
    """Not at the end of the log."""
    all_of_them = files(folder, "segments")
    done = 0
    for path in [chance.choice(all_of_them) for _ in range(4)]:
        is_last = path == all_of_them[-1]
        done += flip(path, chance, path.stat().st_size - TAIL if is_last else None)
    return done


def cut_a_segment(folder, chance):
    """Not the last."""
    some = files(folder, "segments")[:-1]
    return cut(chance.choice(some), chance) if some else 0


def cut_the_log(folder, chance):
    """The last segment: what was removed last is known to nobody any more."""
    return cut(files(folder, "segments")[-1], chance)


def cut(path, chance):
    os.truncate(path, chance.randrange(path.stat().st_size + 1))
    return 1


def delete(path, _chance):
    path.unlink()


def harm_bodies(folder, chance):
    all_of_them = files(folder, "bodies")
    some = chance.sample(all_of_them, min(6, len(all_of_them)))
    for path, harm in zip(some, [flip, cut, delete] * 2):
        # Some go by themselves meanwhile.
        with contextlib.suppress(FileNotFoundError):
            harm(path, chance)
    return len(some)


def harm_the_snapshot(folder, chance):
    path = folder / "snapshot"
    if not path.exists():
        return 0
    if chance.random() < 0.3:
        path.unlink()
        return 1
    return cut(path, chance) if chance.random() < 0.5 else flip(path, chance)


def mounted(stage, path):
    """Whether there is a small file system of its own, which can be filled; that takes root."""
    command = ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", path]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return False
    if done.returncode == 0:
        stage.mounts.append(path)
    return done.returncode == 0


def fill(disk):
    """Leaves nothing free."""
    size = 1 << 20
    with open(disk / "ballast", "wb", buffering=0) as file:
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2
    return 1


def make_room(disk):
    (disk / "ballast").unlink()
