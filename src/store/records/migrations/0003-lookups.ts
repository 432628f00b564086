// A robot that shows its token alone is found by it, and the audit log is searched from its newest row backwards.

export const lookups = {
  name: '0003-lookups',
  statements: `
create unique index robots_token on robots (token_hash);
create index audit_log_at on audit_log (at);
create index audit_log_principal on audit_log (principal, id);
create index audit_log_action on audit_log (action, id);
create index audit_log_subject on audit_log (subject, id)
`,
}
