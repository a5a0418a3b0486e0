"""Runs the code of docs/webhooks.md on deliveries. Input: [{"secret", "signature", "body", "tolerance"}]; output: [bool]."""

import json
import re
import sys
from pathlib import Path

page = (Path(__file__).parents[2] / "docs/webhooks.md").read_text()
code = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
names = {}
exec(code, names)
deliveries = json.load(sys.stdin)
verified = [names["verify"](d["secret"], d["signature"], d["body"].encode(), d["tolerance"]) for d in deliveries]
print(json.dumps(verified))
