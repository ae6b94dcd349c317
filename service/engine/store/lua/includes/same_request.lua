-- Requests that stand for a job that is there already: `same_request()` returns what finds it, and what remembers a new one.

local MONTH = 2592000000

local function key_of(kind, job, name) return P .. kind .. ':' .. job.owner .. ':' .. job.type .. ':' .. name end

-- State, when it was deleted and so on, of the job that a key stands for.
local function known(key, ...)
  local id = redis.call('GET', key)
  if not id then return nil end
  local v = redis.call('HMGET', job_key(id), 'state', 'deleted_ms', ...)
  if not v[1] or v[2] then return nil end
  return id, v
end

local AGAIN = {failed = true, cancelled = true, expired = true}

local function unique(job)
  local id, v = known(key_of('unique', job, job.unique.key))
  if not id or AGAIN[v[1]] or (not job.unique.for_ms and TERMINAL[v[1]]) then return nil end
  return {'same', id, v[1]}
end

local function refind(id, stamp, old, new)
  for _, name in ipairs(old and cmsgpack.unpack(old) or {}) do place(P .. 'find:' .. name, id) end
  for _, name in ipairs(new) do place(P .. 'find:' .. name, id, stamp) end
end

-- A job that has not begun to be ready takes the later request's place: its payload, and a later start.
local function debounced(job)
  local id, v = known(key_of('debounce', job, job.debounce.key), 'created_ms', 'cost', 'find', 'stamp', 'queue')
  if not id or v[1] ~= 'scheduled' or v[7] ~= job.queue then
    job.due = now + job.debounce.delay_ms
    return nil
  end
  local due = math.max(now, math.min(now + job.debounce.delay_ms, tonumber(v[3]) + job.debounce.max_delay_ms))
  local key = job_key(id)
  redis.call('HSET', key, 'due_ms', due, 'ready_ms', due, 'cost', job.cost, 'priority', job.priority,
    'find', cmsgpack.pack(job.find), 'limits', job.limits or '', unpack(job.fields))
  redis.call('HINCRBY', key, 'debounced', 1)
  for field, at in pairs({not_after_ms = job.not_after or false, deadline_ms = job.deadline or false}) do
    if at then redis.call('HSET', key, field, at) else redis.call('HDEL', key, field) end
  end
  place(P .. 'expiring', id, job.not_after)
  refind(id, v[6], v[5], job.find)
  place(job.queue, id, due)
  redis.call('PUBLISH', P .. 'event:' .. id, 'scheduled')
  return {'same', id, 'scheduled'}
end

local function find(job)
  if job.unique then return unique(job) end
  return debounced(job)
end

local function remember(job)
  if job.unique then
    redis.call('SET', key_of('unique', job, job.unique.key), job.id, 'PX', job.unique.for_ms or MONTH)
  else
    redis.call('SET', key_of('debounce', job, job.debounce.key), job.id, 'PX', job.debounce.max_delay_ms + 60000)
  end
end

return find, remember
