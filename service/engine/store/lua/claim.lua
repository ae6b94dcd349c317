#!lua flags=allow-oom
-- includes: load_job, finish_job, expire_job; when called: lease_job
-- Leases ready jobs to a worker. Returns {claimed, foreign, unknown, next due in ms or -1, where to go on}: claimed is a
-- list of {id, fence, fields…}; foreign are ids enqueued by plain arq that have no record yet; unknown are types this worker
-- cannot run; where to go on is how many of the first ready jobs are of such types, 0 where all have been looked at.

local queue, worker = ARGV[1], ARGV[2]
local want, lease = tonumber(ARGV[3]), tonumber(ARGV[4]) -- jobs; ms
local known_types = cmsgpack.unpack(ARGV[5])
local reaps = ARGV[6] == '1' -- settles leases that ran out
local rated = ARGV[7] == '1' -- a rate bounds the starts of jobs: else the task itself meters what it does
local idle_for = tonumber(ARGV[8]) -- ms for which it takes jobs that are handed to it where it finds too few; 0 for none
local reached = ARGV[9] == '1' -- its channel is known to reach it
local noted = ARGV[10] == '1' -- it may have left a note before
local skip = tonumber(ARGV[11]) -- ready jobs to pass over: those whose types it did not know as it looked last

-- Of one call: it must not keep the server for long from others.
local LOOKED_AT_MAX = 1000

local start, keep_leases, BLANK = lease_job()
local slots = want
local known = {}
for _, name in ipairs(known_types) do known[name] = true end
local claimed, foreign, unknown = {}, {}, {}
local queue_key = P .. 'queue:' .. queue
local settings = redis.call('HMGET', queue_key, 'pause', 'limit', 'virtual_ms', 'rate', 'rate_next_ms')

-- What somebody set for this queue, unless its time is over.
local function steered(i, field)
  if not settings[i] then return nil end
  local note = cjson.decode(settings[i])
  if type(note.until_ms) == 'number' and note.until_ms <= now then redis.call('HDEL', queue_key, field) return nil end
  return note
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
  if dead[3] and dead[3] ~= '' then finish(j, 'cancelled', {'message', 'Cancelled'}) return end
  if crashes >= 3 or used > tonumber(j.retries) then
    local times = crashes == 3 and 'three times' or crashes == 2 and 'twice' or crashes == 1 and 'once' or crashes .. ' times'
    finish(j, 'failed', {'error', 'the worker died ' .. times .. ' while running this job', 'error_type', 'WorkerDied', 'fingerprint', 'worker-died-' .. j.type})
  else
    requeue(j, {'message', 'The worker died; taken up again'})
  end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', queue, READY, now, 'LIMIT', 0, 200)) do
  local j = load(id)
  if not j then
    if redis.call('EXISTS', 'arq:job:' .. id) == 1 then foreign[#foreign + 1] = id else redis.call('ZREM', queue, id) end
  elseif j.state == 'active' then
    if reaps then crashed(j) end
  elseif WAITING[j.state] then requeue(j, {})
  else end_arq(j) end
end
write_out()

-- The whole record: as a table of all its fields, and as the flat list that HGETALL answers.
local function load_whole(id)
  local flat, j = redis.call('HGETALL', job_key(id)), {}
  for i = 1, #flat, 2 do j[flat[i]] = flat[i + 1] end
  if not j.state then return nil end
  j.id, j.cost = id, tonumber(j.cost) or 0
  return setmetatable(j, BLANK), flat
end

local function take(j, score, flat)
  local fields, fence = start(j, worker, lease)
  if j.resume ~= '' then redis.call('HDEL', job_key(j.id), 'resume') end
  if j.deadline_ms ~= '' then redis.call('ZREM', deadlines_of(j), j.id) end
  redis.call('HSET', job_key(j.id), unpack(fields))
  -- The record as it is now: of a field that stands twice, the reader takes the last.
  for _, word in ipairs(fields) do flat[#flat + 1] = tostring(word) end
  move(j, 'active')
  -- Virtual time follows the tags that are served and creeps on with each, so that a stream of newcomers at the
  -- present tag cannot hold back those behind it for ever: they come in turn after every fourth.
  local tag = score + H + (HEAD_START[j.priority] or 0)
  settings[3] = math.max(tonumber(settings[3] or nil) or tag, tag) + math.max(j.cost, 100) / 4
  claimed[#claimed + 1] = {j.id, fence, flat}
end

-- The job that takes an owner's turn: of those of its priority that wait, the one whose deadline comes first. The one whose
-- turn it was takes the other's place. What the owner gets in all stays the same.
local stands_in, moved = {}, {}
local urgent = redis.call('EXISTS', P .. 'deadlines:' .. queue) == 1
local function most_urgent(j, flat, score)
  if j.parent ~= '' then return j, flat end
  local key = deadlines_of(j)
  while true do
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    local own = tonumber(j.deadline_ms) or math.huge
    if not first[1] or first[1] == j.id or tonumber(first[2]) >= own then return j, flat end
    local other, other_flat = load_whole(first[1])
    local place_of = other and (moved[other.id] or tonumber(redis.call('ZSCORE', queue, other.id) or nil))
    if other and other.state == 'queued' and place_of and place_of <= READY then
      local late = other.not_after_ms ~= '' and tonumber(other.not_after_ms) < now
      if late or not known[other.type] then return j, flat end
      place(queue, j.id, place_of)
      moved[j.id], stands_in[other.id] = place_of, j.id
      return other, other_flat
    end
    redis.call('ZREM', key, first[1])
  end
end

local limit, rate = steered(2, 'limit'), rated and steered(4, 'rate') or nil
if limit then want = math.min(want, limit.value - redis.call('HLEN', P .. 'running:' .. queue)) end
local rate_next = tonumber(settings[5] or nil) or 0
if rate then want = rate_next <= now and math.min(want, 1) or 0 end
-- Whether some that were looked at are of types it does not know, and how many to pass over next time.
local strangers, through, goes_on, more = skip > 0, false, false, 0
if want > 0 and not steered(1, 'pause') then
  local aborting = redis.call('EXISTS', 'arq:abort') == 1
  local last = skip + LOOKED_AT_MAX
  while #claimed < want and skip < last do
    local asked = want - #claimed
    if strangers then asked = math.max(asked, 100) end
    local row = redis.call('ZRANGEBYSCORE', queue, '-inf', READY, 'WITHSCORES', 'LIMIT', skip, asked)
    for i = 1, #row, 2 do
      local id = row[i]
      while stands_in[id] do id = stands_in[id] end
      -- Among many of other types, a record is not read whole to learn that it is one more of them.
      local type = strangers and redis.call('HGET', job_key(id), 'type')
      local j, flat
      if not type or known[type] then j, flat = load_whole(id) end
      -- More were read than are wanted: the rest is looked at next time.
      if j and #claimed >= want then goes_on = true break end
      if type and not known[type] then unknown[type] = true skip = skip + 1
      elseif not j then
        if redis.call('EXISTS', 'arq:job:' .. id) == 1 then foreign[#foreign + 1] = id skip = skip + 1
        else redis.call('ZREM', queue, id) end
      elseif TERMINAL[j.state] then end_arq(j)
      elseif aborting and redis.call('ZSCORE', 'arq:abort', id) then finish(j, 'cancelled', {'message', 'Cancelled'})
      elseif not known[j.type] then unknown[j.type], strangers = true, true skip = skip + 1
      elseif j.not_after_ms ~= '' and tonumber(j.not_after_ms) < now then expire(j, {}, now)
      else
        if urgent then j, flat = most_urgent(j, flat, tonumber(row[i + 1])) end
        take(j, tonumber(row[i + 1]), flat)
      end
    end
    write_out()
    through = #row < 2 * asked and not goes_on
    if through then break end
  end
  if strangers and not through then more = skip end
  keep_leases()
  if #claimed > 0 then
    redis.call('HSET', queue_key, 'virtual_ms', string.format('%.3f', settings[3]))
    if rate then
      rate_next = now + 60000 / rate.value
      redis.call('HSET', queue_key, 'rate_next_ms', string.format('%.3f', rate_next))
    end
    redis.call('ZREMRANGEBYSCORE', P .. 'fair:' .. queue, '-inf', settings[3] - 1)
  end
end

-- A worker that has slots left over is found by its note. It leaves none before it has heard itself on its channel: what
-- is handed over a connection that is half dead waits for its lease to run out.
local notes, left = P .. 'idle:' .. queue, slots - #claimed
local invites = idle_for > 0 and left > 0
if invites then redis.call('PUBLISH', P .. 'hand:' .. worker, 'here') end
if invites and reached then
  local note = string.format('%.0f %d %d', now + idle_for, lease, left)
  for name in pairs(known) do note = note .. ' ' .. name end
  redis.call('HSET', notes, worker, note .. ' ')
  redis.call('PEXPIRE', notes, idle_for)
elseif noted then
  redis.call('HDEL', notes, worker)
end

local due = redis.call('ZRANGEBYSCORE', queue, '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local names = {}
for name in pairs(unknown) do names[#names + 1] = name end
if rate and rate_next > now and (not due[2] or rate_next < tonumber(due[2])) then due[2] = rate_next end
return {claimed, foreign, names, due[2] and math.max(0, math.ceil(tonumber(due[2]) - now)) or -1, more}
