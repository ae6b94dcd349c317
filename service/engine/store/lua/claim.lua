-- ARGV: queue, worker id, jobs wanted, lease in ms, known job types as msgpack list, 1 to reap,
-- 1 where a rate bounds the starts of jobs (0 where the task itself meters what it does), for how many ms the worker will
-- take jobs that are handed to it (enqueue.lua) where it finds fewer than it wants, 1 where its channel is known to reach
-- it, and 1 where it may have left a note before.
-- Answers {claimed, foreign, unknown, next due in ms or -1}: claimed is a list of {id, fence, fields…};
-- foreign are ids enqueued by plain arq that have no record yet; unknown are types this worker cannot run.

local start, keep_leases, BLANK = lease_job()
local queue, worker, want, lease = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local slots = want
local known = {}
for _, name in ipairs(cmsgpack.unpack(ARGV[5])) do known[name] = true end
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
    if ARGV[6] == '1' then crashed(j) end
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

local limit, rate = steered(2, 'limit'), ARGV[7] == '1' and steered(4, 'rate') or nil
if limit then want = math.min(want, limit.value - redis.call('HLEN', P .. 'running:' .. queue)) end
local rate_next = tonumber(settings[5] or nil) or 0
if rate then want = rate_next <= now and math.min(want, 1) or 0 end
if want > 0 and not steered(1, 'pause') then
  local skip, aborting = 0, redis.call('EXISTS', 'arq:abort') == 1
  while #claimed < want and skip < 1000 do
    local asked = want - #claimed
    local row = redis.call('ZRANGEBYSCORE', queue, '-inf', READY, 'WITHSCORES', 'LIMIT', skip, asked)
    for i = 1, #row, 2 do
      local id = row[i]
      local j, flat = load_whole(id)
      if not j then
        if redis.call('EXISTS', 'arq:job:' .. id) == 1 then foreign[#foreign + 1] = id skip = skip + 1
        else redis.call('ZREM', queue, id) end
      elseif TERMINAL[j.state] then end_arq(j)
      elseif aborting and redis.call('ZSCORE', 'arq:abort', id) then finish(j, 'cancelled', {'message', 'Cancelled'})
      elseif not known[j.type] then unknown[j.type] = true skip = skip + 1
      else take(j, tonumber(row[i + 1]), flat) end
    end
    write_out()
    if #row < 2 * asked then break end
  end
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
local invites = ARGV[8] ~= '0' and left > 0
if invites then redis.call('PUBLISH', P .. 'hand:' .. worker, 'here') end
if invites and ARGV[9] == '1' then
  local note = string.format('%.0f %d %d', now + ARGV[8], lease, left)
  for name in pairs(known) do note = note .. ' ' .. name end
  redis.call('HSET', notes, worker, note .. ' ')
  redis.call('PEXPIRE', notes, ARGV[8])
elseif ARGV[10] == '1' then
  redis.call('HDEL', notes, worker)
end

local due = redis.call('ZRANGEBYSCORE', queue, '(' .. string.format('%.0f', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local names = {}
for name in pairs(unknown) do names[#names + 1] = name end
if rate and rate_next > now and (not due[2] or rate_next < tonumber(due[2])) then due[2] = rate_next end
return {claimed, foreign, names, due[2] and math.max(0, math.ceil(tonumber(due[2]) - now)) or -1}
