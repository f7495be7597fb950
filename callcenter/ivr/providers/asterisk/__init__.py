"""The company's own Asterisk (22 LTS), by its REST interface and one events websocket a server.

`link` keeps the websocket, `switch` hands each event to the call it belongs to, `call` plays one call through, `hangup_log`
brings what happened while nobody listened. `deploy/asterisk/` has the configuration that all of this counts on.
"""
