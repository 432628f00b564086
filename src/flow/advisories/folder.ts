// Advisories in a data folder, for who needs no server: imports have a lock of their own, and readers never wait.
export { importAdvisories, type ImportReport } from '../../advisories/import.ts'
export { statusOf, type AdvisoryStatus } from '../../advisories/status.ts'
