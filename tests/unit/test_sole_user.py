from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from service.sole_user import sole_user
from service.unusable import Unusable

HOLD = "import sys; from pathlib import Path; from service.sole_user import sole_user\n"
HOLD += "with sole_user(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"


def test_a_second_service_is_told_that_another_has_the_folder(tmp_path: Path) -> None:
    with sole_user(tmp_path), pytest.raises(Unusable, match="another Callwarden"), sole_user(tmp_path, within=0.0):
        pass
    with sole_user(tmp_path, within=0.0):
        pass


def test_a_killed_service_leaves_the_folder_to_the_next(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Unusable), sole_user(tmp_path, within=0.0):
            pass
        holder.kill()
        holder.wait()
        with sole_user(tmp_path, within=30.0):
            pass
