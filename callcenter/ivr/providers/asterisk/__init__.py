"""The company's own Asterisk (22 LTS), by its REST interface and one events websocket a server.

`switch` keeps the connection and hands each event to the call it belongs to, `call` plays a resident's call through and
`placed_call` one of ours; `ringing` rings agents, `conversation` and `supervision` do what people ask for, `live_sound`
carries both sides to us as they speak; `hangup_log` and `unheard` bring what happened while nobody listened. The
configuration that all of this counts on is in `deploy/asterisk/`.
"""
