-- Keeps the failed tries of the last while, and a place for each try that is being looked at right now.
--
-- KEYS  two per limit: the failures (sorted by when they happened) and the places taken (sorted by when they lapse).
-- ARGV  what to do, the try's id, how long a place is held; then two per limit: count, window.  All in microseconds.
-- "reserve" returns {0, 0} with a place in every limit, {1, 0} when places are only taken by tries under way,
-- {2, wait} when failures fill a window.  "fail" and "release" give the place back, the first leaving a failure.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local act, id, hold = ARGV[1], ARGV[2], tonumber(ARGV[3])
local busy, wait = 0, 0
for i = 1, #KEYS / 2 do
  local failures, places = KEYS[i * 2 - 1], KEYS[i * 2]
  local count, window = tonumber(ARGV[i * 2 + 2]), tonumber(ARGV[i * 2 + 3])
  if act == 'reserve' then
    redis.call('ZREM', places, id) -- asked again because our first answer was lost: not busy with itself
    redis.call('ZREMRANGEBYSCORE', failures, '-inf', string.format('%.0f', now - window))
    redis.call('ZREMRANGEBYSCORE', places, '-inf', string.format('%.0f', now))
    local failed = redis.call('ZCARD', failures)
    if failed >= count then
      local pair = redis.call('ZRANGE', failures, failed - count, failed - count, 'WITHSCORES')
      wait = math.max(wait, pair[2] + window - now, 1)
    elseif failed + redis.call('ZCARD', places) >= count then
      busy = 1
    end
  else
    redis.call('ZREM', places, id)
    if act == 'fail' then
      redis.call('ZADD', failures, string.format('%.0f', now), id)
      redis.call('PEXPIRE', failures, math.ceil(window / 1000))
    end
  end
end
if act ~= 'reserve' then return {0, 0} end
if wait > 0 then return {2, math.ceil(wait)} end
if busy == 1 then return {1, 0} end
for i = 1, #KEYS / 2 do
  redis.call('ZADD', KEYS[i * 2], string.format('%.0f', now + hold), id)
  redis.call('PEXPIRE', KEYS[i * 2], math.ceil(hold / 1000))
end
return {0, 0}
