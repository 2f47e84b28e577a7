-- API tokens are sessions that a program holds: what one may do is a number, null for a sign-in.
ALTER TABLE sessions ADD COLUMN scopes INTEGER;
