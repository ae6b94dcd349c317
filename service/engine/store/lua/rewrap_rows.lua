#!lua flags=allow-oom
-- Writes encrypted rows of a list again, each where it stands by now. Returns how many are still there.

local key = ARGV[1]
local changes = cmsgpack.unpack(ARGV[2]) -- a list of {row that was read, row}

local changed = 0
for _, one in ipairs(changes) do
  local at = redis.call('LPOS', key, one[1])
  if at then
    redis.call('LSET', key, at, one[2])
    changed = changed + 1
  end
end
return changed
