#!lua flags=allow-oom
-- includes: load_job, list_job
-- Removes jobs that have ended for good, with their parts and every index entry. Returns how many.

local job_ids = ARGV

local function erase(one)
  redis.call('DEL', job_key(one), P .. 'attempts:' .. one, P .. 'checkpoint:' .. one, P .. 'parts:' .. one,
    P .. 'log:' .. one,
    'arq:job:' .. one, 'arq:result:' .. one)
end

local gone = 0
for _, id in ipairs(job_ids) do
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
