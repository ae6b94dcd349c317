-- Requests that stand for a job that is there already: `same_request()` returns what finds it, and what remembers a new one.

local DAY, MONTH = 86400000, 2592000000

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

local OLD = {'state', 'deleted_ms', 'find', 'stamp', 'queue', 'cost', 'priority', 'owner', 'deadline_ms', 'limits', 'blocked_by',
  'waits_for', 'parent', 'first_started_ms'}

-- What another request asks for takes the place of a waiting job's own: all but its time, its priority and its turn.
local function take_over(id, old, job)
  local key = job_key(id)
  old.id, old.cost, old.limits, old.blocked_by = id, tonumber(old.cost) or 0, old.limits or '', old.blocked_by or ''
  if old.state == 'queued' and old.deadline_ms then redis.call('ZREM', deadlines_of(old), id) end
  if BACKLOG[old.state] and old.blocked_by == '' and job.cost ~= old.cost then
    change(backlog, old.queue, (backlog[old.queue] or 0) + job.cost - old.cost)
  end
  redis.call('HSET', key, 'cost', job.cost, 'find', cmsgpack.pack(job.find), unpack(job.fields))
  redis.call('HINCRBY', key, 'replaced', 1)
  for field, at in pairs({not_after_ms = job.not_after or false, deadline_ms = job.deadline or false}) do
    if at then redis.call('HSET', key, field, at) else redis.call('HDEL', key, field) end
  end
  place(P .. 'expiring', id, job.not_after)
  refind(id, old.stamp, old.find, job.find)
  local limits = job.limits or ''
  if limits ~= old.limits then
    redis.call('HSET', key, 'limits', limits)
    if old.state == 'queued' then limit_keys().rekey(old, limits, job.cost) end
  end
  old.deadline_ms = job.deadline
  if old.state == 'queued' and redis.call('HEXISTS', key, 'blocked_by') == 0 then mark_deadline(old) end
  redis.call('PUBLISH', P .. 'event:' .. id, old.state)
  return {'same', id, old.state}
end

-- A throttle, a replace or a rerun: the job of its key, where one waits to begin.
local function merged(job)
  local kept = redis.call('GET', key_of(job.merge.kind, job, job.merge.key))
  local next_ms, id = string.match(kept or '', '^(%d+) (.+)$')
  if not id then return nil end
  local v, old = redis.call('HMGET', job_key(id), unpack(OLD)), {}
  for i, name in ipairs(OLD) do old[name] = v[i] or nil end
  if old.state and not old.deleted_ms and WAITING[old.state] and old.queue == job.queue and not old.waits_for then
    return take_over(id, old, job)
  end
  local every = job.merge.every_ms
  if every then
    -- One that was late to begin keeps the next from beginning for the whole time too.
    job.due = math.max(tonumber(next_ms), (tonumber(old.first_started_ms) or 0) + every)
  end
  return nil
end

local function find(job)
  if job.merge then return merged(job) end
  if job.unique then return unique(job) end
  return debounced(job)
end

local function remember(job)
  if job.merge then
    local every = job.merge.every_ms
    local next_ms = every and math.max(job.due, now) + every or 0
    redis.call('SET', key_of(job.merge.kind, job, job.merge.key), string.format('%.0f %s', next_ms, job.id),
      'PX', every and next_ms - now + DAY or MONTH)
    return
  end
  if job.unique then
    redis.call('SET', key_of('unique', job, job.unique.key), job.id, 'PX', job.unique.for_ms or MONTH)
  else
    redis.call('SET', key_of('debounce', job, job.debounce.key), job.id, 'PX', job.debounce.max_delay_ms + 60000)
  end
end

return find, remember
