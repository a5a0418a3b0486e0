"""P3: the table of the recipe `additive` behind FastAPI, summed by numpy.

    LGLP_PEERS_BUNDLE=FILE .venv-peers/bin/python benches/peers/worker.py table_served PORT

FILE is what `lglp models export` wrote. It tells latencies alone, where lglp works out an interval around each as well.
"""

import os

import orjson
from fastapi import FastAPI, Response

from additive_table import Table
from schema import Request

table = Table(os.environ["LGLP_PEERS_BUNDLE"])
app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Response:
    latencies = table.predict(request.architectures).tolist()
    answer = {"predictions": [{"latency_ms": latency} for latency in latencies]}
    return Response(orjson.dumps(answer), media_type="application/json")
