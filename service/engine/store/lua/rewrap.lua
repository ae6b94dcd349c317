#!lua flags=allow-oom
-- Writes encrypted fields of a hash again, each only where it is as it was read. Returns how many were.

local key = ARGV[1]
local changes = cmsgpack.unpack(ARGV[2]) -- a list of {field, value that was read, value, new name of the field}

-- Of a job's record, else nothing: the job, its search keys as they were read, and as they are to be, as a msgpack list.
local job_id, find, names = ARGV[3], ARGV[4], ARGV[5]

local changed = 0
for _, one in ipairs(changes) do
  if redis.call('HGET', key, one[1]) == one[2] then
    if one[4] ~= one[1] then redis.call('HDEL', key, one[1]) end
    redis.call('HSET', key, one[4], one[3])
    changed = changed + 1
  end
end
if names and redis.call('HGET', key, 'find') == find then
  for _, name in ipairs(cmsgpack.unpack(find)) do place(P .. 'find:' .. name, job_id) end
  -- One in the bin is in no list until it is restored.
  if redis.call('HEXISTS', key, 'deleted_ms') == 0 then
    for _, name in ipairs(cmsgpack.unpack(names)) do place(P .. 'find:' .. name, job_id, redis.call('HGET', key, 'stamp')) end
  end
  redis.call('HSET', key, 'find', names)
end
return changed
