"""The sink that sends readings and events to an MQTT broker."""
