"""Every shape: one entry each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.record.webhook import ShapeName
from service.webhooks.shapes import cloudevents
from service.webhooks.shapes.letter import Shape
from service.webhooks.shapes.robots import dingtalk, feishu, slack, verdict, wecom

SHAPES: Mapping[ShapeName, Shape] = MappingProxyType(
    {
        "cloudevents": Shape(request=cloudevents.request, signs="own"),
        "slack": Shape(request=slack, a_minute=60),
        "dingtalk": Shape(request=dingtalk, refusal=verdict, signs="vendors", a_minute=20),
        "wecom": Shape(request=wecom, refusal=verdict, a_minute=20),
        "feishu": Shape(request=feishu, refusal=verdict, signs="vendors", a_minute=100),
    }
)
