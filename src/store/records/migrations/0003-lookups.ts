// A robot that shows its token alone is found by it, and the audit log is searched from its newest row backwards.
// verdicts_manifest: of a manifest that goes the verdicts go too, and those of another policy are looked for by their manifests.
// evidence_made_from: a start asks whether any evidence is of other advisories, without reading the evidence.

export const lookups = {
  name: '0003-lookups',
  statements: `
create unique index robots_token on robots (token_hash);
create index audit_log_at on audit_log (at);
create index audit_log_principal on audit_log (principal, id);
create index audit_log_action on audit_log (action, id);
create index audit_log_subject on audit_log (subject, id);
create index verdicts_manifest on verdicts (manifest_id, policy_revision);
create index evidence_made_from on evidence (advisory_revision, extractors, manifest_id)
`,
}
