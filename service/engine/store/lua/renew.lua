#!lua flags=allow-oom
-- Prolongs leases. Returns {ids whose lease is lost, ids asked to stop}.

local queue = ARGV[1]
local lease = tonumber(ARGV[2]) -- ms
local leases = cmsgpack.unpack(ARGV[3]) -- a list of {id, fence, CPU time of the attempt so far in ms}

local lost, stop = {}, {}
for _, held in ipairs(leases) do
  local id, fence = held[1], tostring(held[2])
  if redis.call('HGET', P .. 'running:' .. queue, id) ~= fence then
    lost[#lost + 1] = id
  else
    redis.call('ZADD', queue, 'XX', now + lease, id)
    redis.call('SET', 'arq:in-progress:' .. id, fence, 'PX', lease)
    local asked, owner, metered = unpack(redis.call('HMGET', job_key(id), 'cancel_requested', 'owner', 'metered'))
    -- Charged with each renewal, so that a worker that dies has not worked for nothing (settle.lua does the rest).
    local counted = string.match(metered or '', '^' .. fence .. ':(%d+)$')
    local cpu_ms = (held[3] or 0) - tonumber(counted or '0')
    if cpu_ms > 0 and owner then
      redis.call('HSET', job_key(id), 'metered', fence .. ':' .. held[3])
      redis.call('HINCRBY', P .. 'usage', 'cpu_ms|' .. math.floor(now / 86400000) .. '|' .. owner, cpu_ms)
    end
    if (asked and asked ~= '') or redis.call('ZSCORE', 'arq:abort', id) then stop[#stop + 1] = id end
  end
end
return {lost, stop}
