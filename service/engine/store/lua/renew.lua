#!lua flags=allow-oom
-- Prolongs leases. Returns {ids whose lease is lost, ids asked to stop}.

local queue = ARGV[1]
local lease = tonumber(ARGV[2]) -- ms
local leases = cmsgpack.unpack(ARGV[3]) -- a list of {id, fence}

local lost, stop = {}, {}
for _, held in ipairs(leases) do
  local id, fence = held[1], tostring(held[2])
  if redis.call('HGET', P .. 'running:' .. queue, id) ~= fence then
    lost[#lost + 1] = id
  else
    redis.call('ZADD', queue, 'XX', now + lease, id)
    redis.call('SET', 'arq:in-progress:' .. id, fence, 'PX', lease)
    local asked = redis.call('HGET', job_key(id), 'cancel_requested')
    if (asked and asked ~= '') or redis.call('ZSCORE', 'arq:abort', id) then stop[#stop + 1] = id end
  end
end
return {lost, stop}
