"""Runs the second piece of code of docs/webhooks.md on deliveries. Input: [{"secret", "headers", "body"}]; output: [bool]."""

import json
import re
import sys
from pathlib import Path

from standardwebhooks.webhooks import WebhookVerificationError

page = (Path(__file__).parents[2] / "docs/webhooks.md").read_text()
code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[1]


def verified(delivery):
    names = {**delivery, "body": delivery["body"].encode()}
    try:
        exec(code, names)
    except WebhookVerificationError:
        return False
    return True


print(json.dumps([verified(delivery) for delivery in json.load(sys.stdin)]))
