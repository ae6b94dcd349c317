-- ARGV: job ids that have ended. Removes each for good, with its parts and every index entry. Answers how many.

local function erase(one)
  redis.call('DEL', job_key(one), P .. 'attempts:' .. one, P .. 'checkpoint:' .. one, P .. 'parts:' .. one,
    P .. 'log:' .. one,
    'arq:job:' .. one, 'arq:result:' .. one)
end

local gone = 0
for _, id in ipairs(ARGV) do
  local j = load(id)
  if j and TERMINAL[j.state] then
    for _, part in ipairs(redis.call('LRANGE', P .. 'parts:' .. id, 0, -1)) do erase(part) end
    list(j, 'ZREM')
    erase(id)
    gone = gone + 1
  end
  if not j or TERMINAL[j.state] then redis.call('ZREM', P .. 'bin', id) end
end
return gone
