"""Many jobs out of one: what a system wrote for a real job, written again under other ids, by the server itself.

A million jobs enqueued and run one by one take each contender minutes. Here a real job of theirs is the pattern: its keys
and its places in lists and sorted sets are copied, with its id exchanged and its times moved. Only redis-py is needed: the
peers' own environments import this too.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ID_DIGITS = 12
"""The last characters of an id are exchanged for a number of as many hexadecimal digits: its length stays."""

BATCH = 2_000
"""Copies of one call: some tens of milliseconds of the server's time."""

COPY = """
local id, first, count, digits = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local keys, places, moved = cjson.decode(ARGV[5]), cjson.decode(ARGV[6]), {}
for field, step in pairs(cjson.decode(ARGV[7])) do moved[field] = step end
local head = string.sub(id, 1, #id - digits)
local function exchanged(text, new)
  local from = 1
  while true do
    local a, b = string.find(text, id, from, true)
    if not a then return text end
    text = string.sub(text, 1, a - 1) .. new .. string.sub(text, b + 1)
    from = a + #new
  end
end
local kinds, contents = {}, {}
for i, key in ipairs(keys) do
  kinds[i] = redis.call('TYPE', key).ok
  if kinds[i] == 'hash' then contents[i] = redis.call('HGETALL', key)
  elseif kinds[i] == 'string' then contents[i] = redis.call('GET', key)
  else contents[i] = redis.call('DUMP', key) end
end
local rows = {}
for p = 1, #places do rows[p] = {} end
for n = first, first + count - 1 do
  local new = head .. string.format('%0' .. digits .. 'x', n)
  for i, key in ipairs(keys) do
    local name = exchanged(key, new)
    if kinds[i] == 'hash' then
      local fields = {}
      for f = 1, #contents[i], 2 do
        local field, value = contents[i][f], contents[i][f + 1]
        if moved[field] and tonumber(value) then value = string.format('%.0f', tonumber(value) + n * moved[field])
        elseif value == id then value = new end
        fields[f], fields[f + 1] = field, value
      end
      redis.call('HSET', name, unpack(fields))
    elseif kinds[i] == 'string' then redis.call('SET', name, exchanged(contents[i], new))
    else redis.call('RESTORE', name, 0, contents[i], 'REPLACE') end
  end
  for p, place in ipairs(places) do
    local row = rows[p]
    if place.score then row[#row + 1] = string.format('%.0f', place.score + n * place.step) end
    row[#row + 1] = exchanged(place.member, new)
  end
end
for p, place in ipairs(places) do
  local verb = place.score and 'ZADD' or place.set and 'SADD' or 'RPUSH'
  for from = 1, #rows[p], 1000 do
    redis.call(verb, place.key, unpack(rows[p], from, math.min(from + 999, #rows[p])))
  end
end
return #keys
"""


@dataclass(frozen=True)
class Entry:
    """Where a job stands: in a sorted set with a `score` (which moves by `step` a copy), a set, or else a list."""

    key: str
    member: str
    score: float | None = None
    step: float = 0
    set: bool = False

    def as_json(self) -> dict[str, Any]:
        given = {"key": self.key, "member": self.member, "step": self.step, "set": self.set}
        return given | ({} if self.score is None else {"score": self.score})


@dataclass(frozen=True)
class Pattern:
    """A real job: its id, the keys that are its own, its places, and how much each field of its hash moves a copy."""

    id: str
    keys: Sequence[str]
    entries: Sequence[Entry]
    moved: dict[str, float]


def copy(redis: Any, pattern: Pattern, count: int, first: int = 1) -> None:
    """Write `count` copies, numbered from `first`. `redis` is a synchronous client of redis-py."""
    script = redis.register_script(COPY)
    entries = json.dumps([entry.as_json() for entry in pattern.entries])
    for start in range(first, first + count, BATCH):
        number = min(BATCH, first + count - start)
        script(
            args=[
                pattern.id,
                start,
                number,
                ID_DIGITS,
                json.dumps(list(pattern.keys)),
                entries,
                json.dumps(pattern.moved),
            ]
        )
