-- ARGV[1]: job id. Answers {state before, state after}; state after is active while a worker still has to stop.

local j = load(ARGV[1])
if not j then return {} end
local before = j.state
if TERMINAL[before] then return {before, before} end
if redis.call('HEXISTS', P .. 'running:' .. j.queue, j.id) == 1 then
  redis.call('HSET', job_key(j.id), 'cancel_requested', now, 'message', 'Stopping')
  wake(j.queue, 'cancel ' .. j.id)
  redis.call('PUBLISH', P .. 'event:' .. j.id, 'cancel')
  return {before, 'active'}
end
cancel_parts(j.id)
finish(j, 'cancelled', {'message', 'Cancelled'})
return {before, 'cancelled'}
