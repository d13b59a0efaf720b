"""`python -m detectors.evaluation`: precision and recall on labelled lines."""

from detectors.evaluation.metrics import main

raise SystemExit(main())
