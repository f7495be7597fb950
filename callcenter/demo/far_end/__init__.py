"""The far end of a Twilio-compatible provider: it dials in, interprets TwiML, reports, records and takes calls."""
