-- Take a job out of every list, or put it back; its record stays.
local function list(j, verb)
  index(j, j.state, verb)
  local v = redis.call('HMGET', job_key(j.id), 'find', 'finished_ms')
  for _, name in ipairs(v[1] and cmsgpack.unpack(v[1]) or {}) do
    place(P .. 'find:' .. name, j.id, verb == 'ZADD' and j.stamp)
  end
  if j.state == 'failed' then group(j, verb)
  else place(P .. 'finished:' .. j.queue, j.id, verb == 'ZADD' and v[2]) end
end
