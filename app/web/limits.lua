-- Decides one request against all limits of its route at once: it is counted in every one of them, or in none.
--
-- Generic cell rate algorithm (ITU-T I.371).  A key holds the time at which the bucket will be empty, in microseconds
-- of the server's clock, and expires at that time.
-- KEYS  one per limit.   ARGV  three per limit: period in microseconds, count, units wanted.
-- Returns allowed (1/0), microseconds to wait, then two per limit: units granted, microseconds of the period in use.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local allowed, wait = 1, 0
local full, steps, grants = {}, {}, {}
for i, key in ipairs(KEYS) do
  local period, count = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1])
  local step = period / count
  local empty = tonumber(redis.call('GET', key) or now) or now
  empty = math.max(now, math.min(empty, now + period))
  -- Rounding to whole microseconds must not cost anybody the last unit.
  local room = math.floor((now + period - empty + count) / step)
  if room < 1 then
    allowed = 0
    wait = math.max(wait, empty + step - now - period)
  end
  full[i], steps[i], grants[i] = empty, step, math.min(room, tonumber(ARGV[i * 3]))
end
local answer = {allowed, math.ceil(wait)}
for i, key in ipairs(KEYS) do
  local empty = full[i]
  if allowed == 1 then
    empty = empty + steps[i] * grants[i]
    redis.call('SET', key, string.format('%.0f', empty), 'PX', math.ceil((empty - now) / 1000) + 1)
  end
  answer[#answer + 1] = allowed == 1 and grants[i] or 0
  answer[#answer + 1] = math.ceil(empty - now)
end
return answer
