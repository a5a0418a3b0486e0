"""P1: the model of the recipe `lglp` behind FastAPI, as a laboratory serves it that does not use lglp.

    LGLP_PEERS_BUNDLE=FILE .venv-peers/bin/python benches/peers/worker.py served PORT

FILE is what `lglp models export` wrote. Where there is a choice the faster one is taken: the handler runs on the event loop, since a
thread of a pool costs more than it gains where a worker has one core, and orjson writes the answer. `worker.py` has how it is run.
"""

import os

import orjson
from fastapi import FastAPI, Response

from lstm_model import Model
from schema import Request

model = Model(os.environ["LGLP_PEERS_BUNDLE"])
app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Response:
    latencies = model.predict(request.architectures).tolist()
    answer = {"predictions": [{"latency_ms": latency} for latency in latencies]}
    return Response(orjson.dumps(answer), media_type="application/json")
