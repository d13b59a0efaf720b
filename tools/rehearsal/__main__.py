"""A stand-in service for work on the dashboard: scripted calls over the real wire types. Never part of the product.

    .venv/bin/python -m tools.rehearsal --calls 24 --port 8720

Any user name with the password `rehearsal` logs in; the name chooses the role (supervisor, compliance, integrator,
admin; others are supervisors). Serves the built dashboard under the policy the service sends, so `npm run build`
first, or run `npm run dev` beside it. `POST /rehearsal/drop` cuts every live line, `/rehearsal/trouble` toggles a
fault.
"""

from __future__ import annotations

import argparse

import uvicorn

from tools.rehearsal.server import build
from tools.rehearsal.stage import RehearsalStage


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=8720)
    parser.add_argument("--calls", type=int, default=18)
    parser.add_argument("--past", type=int, default=60)
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    app = build(RehearsalStage(asked.calls, asked.past, asked.seed))
    uvicorn.run(app, host="127.0.0.1", port=asked.port, log_level="warning")


if __name__ == "__main__":
    main()
