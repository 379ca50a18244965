-- One day's budget of one caller: spends if there is enough left, gives back, or looks.
--
-- KEYS[1]  the count.   ARGV  "spend", "return" or "look"; how much; the limit; how long the count is kept (seconds).
-- Returns whether it was done (1/0) and what is used now.
local act, amount = ARGV[1], tonumber(ARGV[2])
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if act == 'spend' then
  if used + amount > tonumber(ARGV[3]) then return {0, used} end
  used = redis.call('INCRBY', KEYS[1], amount)
  redis.call('EXPIRE', KEYS[1], ARGV[4])
elseif act == 'return' then
  used = redis.call('DECRBY', KEYS[1], math.min(used, amount))
end
return {1, used}
