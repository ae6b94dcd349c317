-- ARGV: queue, lease in ms, msgpack list of {id, fence}. Answers {ids whose lease is lost, ids asked to stop}.

local queue, lease = ARGV[1], tonumber(ARGV[2])
local lost, stop = {}, {}
for _, held in ipairs(cmsgpack.unpack(ARGV[3])) do
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
