-- ARGV[1]: job id. Removes a job that has ended, with its parts and every index entry. Answers {state before, 1 if gone}.

local j = load(ARGV[1])
if not j then return {} end
if not TERMINAL[j.state] then return {j.state, 0} end

local function erase(one)
  redis.call('DEL', job_key(one), P .. 'attempts:' .. one, P .. 'checkpoint:' .. one, P .. 'parts:' .. one,
    'arq:job:' .. one, 'arq:result:' .. one)
end

for _, part in ipairs(redis.call('LRANGE', P .. 'parts:' .. j.id, 0, -1)) do erase(part) end
local find = redis.call('HGET', job_key(j.id), 'find')
if find then
  for _, name in ipairs(cmsgpack.unpack(find)) do redis.call('ZREM', P .. 'find:' .. name, j.id) end
end
index(j, j.state, 'ZREM')
redis.call('ZREM', P .. 'finished:' .. j.queue, j.id)
redis.call('PUBLISH', P .. 'event:' .. j.id, 'deleted')
erase(j.id)
return {j.state, 1}
