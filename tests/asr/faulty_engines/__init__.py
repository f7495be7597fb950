"""Speech engines that misbehave the way native code does, so that the tests see what the product makes of it."""
