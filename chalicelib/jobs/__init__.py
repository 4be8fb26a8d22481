"""What schedules and queues invoke. A job is a few lines over services, on AWS and on one machine."""
