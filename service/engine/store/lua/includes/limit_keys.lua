-- Limits over keys of a job's payload or its owner (docs/flow-control.md): `limit_keys()` returns what takes keys, parks jobs
-- whose key is full, and lets go of keys.
--
-- A record's `limits` are words like `pdf-ocr:owner:acme|4|60|60000`: the key, how many jobs of it may be active at a time, how
-- many may begin within how many ms; 0 for no bound. All writes here are immediate: none is taken back (`undo`), and what a
-- call does later sees them.

local HELD, PARKED, STARTS = P .. 'held:', P .. 'parked:', P .. 'starts:'
-- Jobs that one freed key looks at: a bound for one whose jobs all wait for other keys too. The last stands for the rest.
local LOOKED_AT = 32

-- Jobs of a call mostly have the same words.
local read = {}
local function keys_of(j)
  local found = read[j.limits]
  if found then return found end
  found = {}
  for key, at_once, starts, period in string.gmatch(j.limits, '(%S+)|(%d+)|(%d+)|(%d+)') do
    found[#found + 1] = {key = key, at_once = tonumber(at_once), starts = tonumber(starts), period = tonumber(period)}
  end
  read[j.limits] = found
  return found
end

-- How many jobs hold a key: read once a call, and changed with what the call does since.
local held = {}
local function held_by(key)
  local count = held[key]
  if not count then
    count = redis.call('SCARD', HELD .. key)
    held[key] = count
  end
  return count
end

local function hold(key, id)
  local came = redis.call('SADD', HELD .. key, id)
  if held[key] then held[key] = held[key] + came end
end

-- Returns 1 where the job held the key until now.
local function release(key, id)
  local went = redis.call('SREM', HELD .. key, id)
  if held[key] then held[key] = held[key] - went end
  return went
end

-- Reason why no further job of a key may begin, and when one may, where that is known; nil where one may now.
local function full(k)
  if k.at_once > 0 and held_by(k.key) >= k.at_once then return 'limit' end
  if k.starts == 0 then return nil end
  local first = redis.call('LINDEX', STARTS .. k.key, -k.starts)
  if first and tonumber(first) + k.period > now then return 'rate', tonumber(first) + k.period end
end

-- The first key of a job that keeps it from beginning, with the reason and when one may.
local function blocker(j)
  for _, k in ipairs(keys_of(j)) do
    local why, due = full(k)
    if why then return k, why, due end
  end
end

-- What was noted for the call's end about a job's place in its queue is over.
local function forget_place(queue, id)
  local pending = placed[queue]
  if pending and pending[id] ~= nil then change(pending, id, nil) end
end

local function add_backlog(queue, cost) redis.call('HINCRBY', P .. 'queue:' .. queue, 'backlog_ms', cost) end

-- A key whose rate is used up is looked at again when the next may begin: a member of the queue's set, at that time.
local function remind(queue, key, due)
  if due and redis.call('ZADD', queue, due, LIMIT_DUE .. key) == 1 then wake(queue) end
end

-- Whether a job of the queue waits under any key. Mostly none does, and no key that gets room has to be looked at.
local any_parked = {}
local function parked_in(queue)
  if any_parked[queue] == nil then any_parked[queue] = redis.call('EXISTS', P .. 'blocked:' .. queue) == 1 end
  return any_parked[queue]
end

-- Set a ready job aside under a key, with its place in the fair order; `waited` where it was under another key until now.
local function park(j, score, k, why, due, waited)
  local key = job_key(j.id)
  any_parked[j.queue] = true
  redis.call('ZADD', PARKED .. k.key, score, j.id)
  redis.call('ZADD', P .. 'blocked:' .. j.queue, 'NX', now, k.key)
  redis.call('HSET', key, 'blocked_by', string.format('%s %s|%d|%d|%d', why, k.key, k.at_once, k.starts, k.period))
  if not waited then
    forget_place(j.queue, j.id)
    redis.call('ZREM', j.queue, j.id)
    -- Workers can do nothing about it.
    add_backlog(j.queue, -j.cost)
    if (j.deadline_ms or '') ~= '' then redis.call('ZREM', deadlines_of(j), j.id) end
  end
  remind(j.queue, k.key, due)
end

-- A job waits under a key no longer.
local function unlist(queue, key, id)
  redis.call('ZREM', PARKED .. key, id)
  if redis.call('EXISTS', PARKED .. key) == 0 then redis.call('ZREM', P .. 'blocked:' .. queue, key) end
end

local WANTED = {'state', 'limits', 'blocked_by', 'queue', 'cost', 'priority', 'owner', 'deadline_ms', 'parent'}
local function load_parked(id)
  local v, j = redis.call('HMGET', job_key(id), unpack(WANTED)), {id = id}
  for i, name in ipairs(WANTED) do j[name] = v[i] or '' end
  j.cost = tonumber(j.cost) or 0
  return j
end

local function unpark(j, score)
  redis.call('HDEL', job_key(j.id), 'blocked_by')
  redis.call('HSET', job_key(j.id), 'ready_ms', now)
  forget_place(j.queue, j.id)
  redis.call('ZADD', j.queue, score, j.id)
  add_backlog(j.queue, j.cost)
  mark_deadline(j)
  redis.call('PUBLISH', P .. 'event:' .. j.id, 'queued')
  wake(j.queue)
end

-- The first of the jobs under a key that may begin goes back to its place. Those before it that another key keeps wait under
-- that one from now on. Returns whether one was found.
local function nudge(queue, key)
  for _ = 1, LOOKED_AT do
    local first = redis.call('ZRANGE', PARKED .. key, 0, 0, 'WITHSCORES')
    local id, score = first[1], first[2]
    if not id then return false end
    local j = load_parked(id)
    local k, why, due
    if j.state == 'queued' then k, why, due = blocker(j) end
    if k and k.key == key then
      remind(queue, key, due)
      return false
    end
    unlist(queue, key, id)
    if k then park(j, score, k, why, due, true)
    elseif j.state == 'queued' then unpark(j, score) return true end
  end
  return false
end

local function nudge_all(j, but)
  if not parked_in(j.queue) then return end
  for _, k in ipairs(keys_of(j)) do
    if k ~= but then nudge(j.queue, k.key) end
  end
end

-- A job begins, or goes on (then `start` is false: it holds its keys already).
local function acquire(j, start)
  for _, k in ipairs(keys_of(j)) do
    hold(k.key, j.id)
    if start and k.starts > 0 then
      if redis.call('RPUSH', STARTS .. k.key, now) > k.starts then redis.call('LTRIM', STARTS .. k.key, -k.starts, -1) end
      redis.call('PEXPIRE', STARTS .. k.key, k.period)
      -- The next one of the key has its time now, or may begin too.
      if parked_in(j.queue) then nudge(j.queue, k.key) end
    end
  end
end

-- A job that was active, or that waited, is neither any more.
local function leave(j)
  if j.state == 'active' then
    for _, k in ipairs(keys_of(j)) do release(k.key, j.id) end
  elseif j.blocked_by ~= '' then
    unlist(j.queue, string.match(j.blocked_by, ' (%S+)|%d+|%d+|%d+$'), j.id)
    redis.call('HDEL', job_key(j.id), 'blocked_by')
    add_backlog(j.queue, j.cost)
  end
  nudge_all(j)
end

-- A queued job has other keys than it had; `cost` is what it takes now. It keeps its place.
local function rekey(j, limits, cost)
  local parked = string.match(j.blocked_by, ' (%S+)|%d+|%d+|%d+$')
  -- One that this same call has made is not in its queue yet.
  local pending = not parked and placed[j.queue] and placed[j.queue][j.id]
  local score = pending or redis.call('ZSCORE', parked and PARKED .. parked or j.queue, j.id)
  local old = {state = 'queued', id = j.id, queue = j.queue, limits = j.limits, blocked_by = j.blocked_by, cost = j.cost}
  leave(old)
  j.limits, j.cost = limits, cost
  -- What it was counted with has been added by `leave` where it waited for a key.
  if parked then add_backlog(j.queue, cost - old.cost) end
  local k, why, due = blocker(j)
  if k then park(j, score, k, why, due)
  elseif parked then
    redis.call('HSET', job_key(j.id), 'ready_ms', now)
    redis.call('ZADD', j.queue, score, j.id)
    wake(j.queue)
  end
end

return {rekey = rekey, blocker = blocker, acquire = acquire, release = release, park = park, nudge = nudge,
  nudge_all = nudge_all, leave = leave}
