#!lua flags=allow-oom
-- includes: load_job, finish_job, expire_job; when called: limit_keys, lease_job
-- Leases ready jobs to a worker. Returns {claimed, external, unknown, next due in ms or -1, where to go on}: claimed is a
-- list of {id, fence, record, what the lease has changed in it}, the latter two as flat lists of fields; external are ids
-- enqueued by plain arq that have no record yet; unknown are types this worker cannot run; where to go on is how many of the
-- first ready jobs are of such types, 0 where all have been read.

-- A Claim and an IdleOffer (service/engine/store/script_inputs.py), in the order of Store.claimed.
local queue, worker, slots, lease_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local types, reap, rated, skip = cmsgpack.unpack(ARGV[5]), ARGV[6] == '1', ARGV[7] == '1', tonumber(ARGV[8])
local offer_valid_ms, channel_alive, previously_offered = tonumber(ARGV[9]), ARGV[10] == '1', ARGV[11] == '1'

-- Records read in one call: it must not keep the server for long from others.
local READ_MAX = 1000
-- Jobs of a key that go back to their places as its rate allows some again; the others follow as these begin.
local STARTS_AT_ONCE = 20

local start, keep_leases, BLANK = lease_job()
local known = {}
for _, name in ipairs(types) do known[name] = true end
local claimed, external, unknown = {}, {}, {}
local queue_key = P .. 'queue:' .. queue
local set_pause, set_limit, virtual_ms, set_rate, rate_next_ms, set_breaker =
  unpack(redis.call('HMGET', queue_key, 'pause', 'limit', 'virtual_ms', 'rate', 'rate_next_ms', 'breaker'))
-- Of a queue whose jobs fail (breaker.lua): none until a time, then one at a time.
local breaker = set_breaker and cjson.decode(set_breaker)
virtual_ms, rate_next_ms = tonumber(virtual_ms or nil), tonumber(rate_next_ms or nil) or 0

-- A hold that an operator set on this queue, unless its time is over.
local function hold_of(field, value)
  if not value then return nil end
  local hold = cjson.decode(value)
  if type(hold.until_ms) == 'number' and hold.until_ms <= now then redis.call('HDEL', queue_key, field) return nil end
  return hold
end

-- A lease that ran out: its worker is gone. A crash spends an attempt; three in a row end the job.
local function crashed(j)
  local key = job_key(j.id)
  local dead = redis.call('HMGET', key, 'worker', 'started_ms', 'cancel_requested')
  unlease(j)
  local crashes = redis.call('HINCRBY', key, 'crashes', 1)
  local used = tonumber(j.attempt) - (tonumber(j.tries_base) or 0)
  note_attempt(j.id, cjson.encode({number = tonumber(j.attempt), worker = dead[1], started_ms = tonumber(dead[2]),
    finished_ms = now, outcome = 'crashed', error = 'the worker died while running this job'}))
  tally(j, 'crashed', 1)
  if dead[3] and dead[3] ~= '' then
    cancel_parts(j.id)
    finish(j, 'cancelled', {'message', 'Cancelled'})
    return
  end
  if crashes >= 3 or used > tonumber(j.retries) then
    local times = crashes == 3 and 'three times' or crashes == 2 and 'twice' or crashes == 1 and 'once' or crashes .. ' times'
    finish(j, 'failed', {'error', 'the worker died ' .. times .. ' while running this job', 'error_type', 'WorkerDied', 'fingerprint', 'worker-died-' .. j.type})
  else
    requeue(j, {'message', 'The worker died; queued again'})
  end
end

-- An entry of plain arq that has no record here; without one there either it is gone.
local function note_external(id)
  if redis.call('EXISTS', 'arq:job:' .. id) == 0 then redis.call('ZREM', queue, id) return false end
  external[#external + 1] = id
  return true
end

-- A key whose rate was used up: so many jobs of it as may begin go back to their places.
local limits
local function limit_due(member)
  redis.call('ZREM', queue, member)
  limits = limits or limit_keys()
  for _ = 1, STARTS_AT_ONCE do
    if not limits.nudge(queue, string.sub(member, #LIMIT_DUE + 1)) then return end
  end
end

-- A ready job whose key is full waits under that key. Others of its keys may have been kept free for it.
local function set_aside(j, score)
  if j.limits == '' or j.state ~= 'queued' then return false end
  limits = limits or limit_keys()
  local k, why, due = limits.blocker(j)
  if not k then return false end
  limits.park(j, score, k, why, due)
  limits.nudge_all(j, k)
  return true
end

-- The event that a job waits for did not come in time: it goes on, and is told so (wait.lua).
local function wait_over(j)
  redis.call('HSET', job_key(j.id), 'resume', 1, 'message', 'Goes on: the event did not come in time')
  ready(j)
end

-- Deferred jobs whose time has come, and leases that ran out.
local function promote()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', queue, READY, now, 'LIMIT', 0, 200)) do
    local j = load(id)
    if not j then
      if string.sub(id, 1, #LIMIT_DUE) == LIMIT_DUE then limit_due(id) else note_external(id) end
    elseif j.state == 'active' then
      if redis.call('HEXISTS', P .. 'running:' .. queue, id) == 0 then wait_over(j)
      elseif reap then crashed(j) end
    elseif WAITING[j.state] then requeue(j, {})
    else end_arq(j) end
  end
  write_out()
end

-- The whole record: as a table of all its fields, and as the flat list that HGETALL returns.
local function load_whole(id)
  local flat, j = redis.call('HGETALL', job_key(id)), {}
  for i = 1, #flat, 2 do j[flat[i]] = flat[i + 1] end
  if not j.state then return nil end
  j.id, j.cost = id, tonumber(j.cost) or 0
  return setmetatable(j, BLANK), flat
end

local function take(j, score, flat)
  local fields, fence = start(j, worker, lease_ms)
  if j.resume ~= '' then redis.call('HDEL', job_key(j.id), 'resume') end
  if j.deadline_ms ~= '' then redis.call('ZREM', deadlines_of(j), j.id) end
  redis.call('HSET', job_key(j.id), unpack(fields))
  move(j, 'active')
  -- Virtual time follows the tags that are served and creeps on with each, so that a stream of newcomers at the
  -- present tag cannot hold back those behind it forever: they come in turn after every fourth.
  local tag = score + H + (HEAD_START[j.priority] or 0)
  virtual_ms = math.max(virtual_ms or tag, tag) + math.max(j.cost, 100) / 4
  claimed[#claimed + 1] = {j.id, fence, flat, fields}
end

-- The job that takes an owner's turn: of those of its priority that wait, the one whose deadline comes first. The one whose
-- turn it was takes the other's position. What the owner gets in all stays the same.
local substitutes, moved = {}, {}
local urgent = redis.call('EXISTS', P .. 'deadlines:' .. queue) == 1
local function most_urgent(j, flat, score)
  if j.parent ~= '' then return j, flat end
  local key = deadlines_of(j)
  while true do
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    local own = tonumber(j.deadline_ms) or math.huge
    if not first[1] or first[1] == j.id or tonumber(first[2]) >= own then return j, flat end
    local other, other_flat = load_whole(first[1])
    local score_of = other and (moved[other.id] or tonumber(redis.call('ZSCORE', queue, other.id) or nil))
    if other and other.state == 'queued' and score_of and score_of <= READY then
      local late = other.not_after_ms ~= '' and tonumber(other.not_after_ms) < now
      if late or not known[other.type] then return j, flat end
      if not set_aside(other, score_of) then
        place(queue, j.id, score_of)
        moved[j.id], substitutes[other.id] = score_of, j.id
        return other, other_flat
      end
    else
      redis.call('ZREM', key, first[1])
    end
  end
end

-- Whether some that were read are of types it does not know.
local strangers = skip > 0
-- One ready job: leased, or what else it turns out to be. False where it is passed over by the next claim too.
local function examine(id, score)
  while substitutes[id] do id = substitutes[id] end
  -- Among many of other types, a record is not read whole to learn that it is one more of them.
  local type = strangers and redis.call('HGET', job_key(id), 'type')
  if type and not known[type] then unknown[type] = true return false end
  local j, flat = load_whole(id)
  if not j then return not note_external(id) end
  if TERMINAL[j.state] then end_arq(j)
  elseif j.blocked_by ~= '' then return true -- set aside since this row was read
  elseif aborting() and redis.call('ZSCORE', 'arq:abort', id) then
    cancel_parts(id)
    finish(j, 'cancelled', {'message', 'Cancelled'})
  elseif not known[j.type] then unknown[j.type], strangers = true, true return false
  elseif j.state ~= 'active' and j.not_after_ms ~= '' and tonumber(j.not_after_ms) < now then
    -- One that goes on after its parts, or an event, has begun in time.
    cancel_parts(id)
    expire(j, {}, now)
  else
    if urgent then j, flat = most_urgent(j, flat, score) end
    if not set_aside(j, score) then take(j, score, flat) end
  end
  return true
end

-- Lease up to `want` jobs in fair order. Returns how many of the first are to be passed over next time, 0 where all that
-- wait have been read.
local unread = false
local function claim(want)
  local read, all_read = 0, false
  while #claimed < want and read < READ_MAX and not all_read do
    local asked = want - #claimed
    -- Most of what is read last is passed over or set aside: more of it is read in one go.
    if strangers or read > want then asked = math.max(asked, 100) end
    local row = redis.call('ZRANGEBYSCORE', queue, '-inf', READY, 'WITHSCORES', 'LIMIT', skip, asked)
    all_read = #row < 2 * asked
    for i = 1, #row, 2 do
      -- More were read than are wanted: the rest is left for the next claim.
      if #claimed >= want then all_read = false break end
      read = read + 1
      if not examine(row[i], tonumber(row[i + 1])) then skip = skip + 1 end
    end
    write_out()
  end
  unread = #claimed < want and not all_read and not strangers
  return strangers and not all_read and skip or 0
end

-- Virtual time, the rate and the flows' tags, after jobs were leased.
local function keep_pace(rate)
  redis.call('HSET', queue_key, 'virtual_ms', string.format('%.3f', virtual_ms))
  if rate then
    rate_next_ms = now + 60000 / rate.value
    redis.call('HSET', queue_key, 'rate_next_ms', string.format('%.3f', rate_next_ms))
  end
  redis.call('ZREMRANGEBYSCORE', P .. 'fair:' .. queue, '-inf', virtual_ms - 1)
end

-- A worker that has slots left over is found by its offer (dispatch_to_idle.lua). It makes none before it has received
-- something on its channel: what is dispatched over a connection that is half dead waits for its lease to run out.
local function keep_offer(slots_left)
  local offers = P .. 'idle:' .. queue
  local offering = offer_valid_ms > 0 and slots_left > 0
  if offering then redis.call('PUBLISH', P .. 'hand:' .. worker, 'here') end
  if offering and channel_alive then
    local offer = string.format('%.0f %d %d', now + offer_valid_ms, lease_ms, slots_left)
    for name in pairs(known) do offer = offer .. ' ' .. name end
    redis.call('HSET', offers, worker, offer .. ' ')
    redis.call('PEXPIRE', offers, offer_valid_ms)
  elseif previously_offered then
    redis.call('HDEL', offers, worker)
  end
end

-- Milliseconds until something here is due, -1 where nothing is.
local function due_in_ms(rate)
  if unread then return 0 end
  local due_ms = redis.call('ZRANGEBYSCORE', queue, '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if rate and rate_next_ms > now then due_ms = math.min(tonumber(due_ms) or rate_next_ms, rate_next_ms) end
  if breaker and breaker.until_ms > now then due_ms = math.min(tonumber(due_ms) or breaker.until_ms, breaker.until_ms) end
  return due_ms and math.max(0, math.ceil(tonumber(due_ms) - now)) or -1
end

promote()
local limit, rate = hold_of('limit', set_limit), rated and hold_of('rate', set_rate) or nil
local want, go_on = slots, 0
if limit then want = math.min(want, limit.value - redis.call('HLEN', P .. 'running:' .. queue)) end
if rate then want = rate_next_ms <= now and math.min(want, 1) or 0 end
if breaker then
  local trying = breaker.canary and redis.call('HEXISTS', P .. 'running:' .. queue, breaker.canary) == 1
  want = breaker.until_ms <= now and not trying and math.min(want, 1) or 0
end
if want > 0 and not hold_of('pause', set_pause) then
  go_on = claim(want)
  keep_leases()
  if #claimed > 0 then keep_pace(rate) end
  if breaker and #claimed > 0 then
    breaker.canary = claimed[1][1]
    redis.call('HSET', queue_key, 'breaker', cjson.encode(breaker))
  end
end
keep_offer(slots - #claimed)
local names = {}
for name in pairs(unknown) do names[#names + 1] = name end
return {claimed, external, names, due_in_ms(rate), go_on}
