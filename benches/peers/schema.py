"""What a request of the peers is: architectures in the readable JSON form, checked by pydantic as an API of FastAPI checks them.

Imported by the peers that serve, `served.py` and `table_served.py`, and by those that do not.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator


class Layer(BaseModel):
    kernel: Literal[3, 5, 7]
    expansion: Literal[3, 4, 6]
    shortcut: bool


class Block(BaseModel):
    stride: Literal[1, 2]
    se: bool
    layers: Annotated[list[Layer], Field(min_length=1, max_length=4)]


class Architecture(BaseModel):
    resolution: Literal[160, 320, 512, 768, 1024]
    blocks: Annotated[list[Block], Field(min_length=10, max_length=10)]

    @model_validator(mode="after")
    def strides(self):
        """The rules of the space, see `catalog/spaces/mobilenetv3.toml`."""
        halved = [block.stride == 2 for block in self.blocks]
        if sum(halved) != 4 or sum(halved[:4]) < 2:
            raise ValueError("4 blocks have stride 2, at least 2 of them among the first 4")
        return self


class Request(BaseModel):
    architectures: Annotated[list[Architecture], Field(min_length=1, max_length=10_000)]
    # lglp reads here which version to predict by. A peer serves one model, and gets the same bytes.
    model: str | None = None
