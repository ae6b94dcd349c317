-- The one place where rates are counted: for scripts that call `take_permits()` for the function.
-- The generic cell rate algorithm (ITU-T I.371, annex A): what is kept is the theoretical arrival time of the next cell.
-- With a burst of one permits are evenly spaced, and a pause is never made up for; with a burst of n so many may go at once.

-- Takes `count` permits. Returns 0 with them taken, the milliseconds after which it is worth asking again, or -1 where so
-- many are never to be had. Microseconds: `interval` is from one permit to the next, `spacing` the longest such interval
-- of any that use the rate. With `dry` nothing is taken.
return function(name, interval, spacing, burst, count, dry)
  if count > burst then return -1 end
  local key, span = P .. 'rate:' .. name, interval * burst
  local longest = math.max(span, spacing)
  local arrival = tonumber(redis.call('GET', key) or '0')
  -- Only a clock set back leaves an arrival so far ahead; it must not stop everything for as long as it was set back by.
  local set_back = arrival - now_us > longest
  if set_back then arrival = now_us + span end
  local begin = math.max(arrival, now_us)
  local wait = begin + count * interval - span - now_us
  local taken = wait <= 0 and not dry
  if taken then arrival = begin + count * interval end
  if taken or set_back then
    redis.call('SET', key, string.format('%.0f', arrival), 'PX', math.ceil(longest / 1000))
  end
  return math.max(0, math.ceil(wait / 1000))
end
