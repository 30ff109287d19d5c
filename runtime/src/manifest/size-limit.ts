/**
 * Caps on received bytes, checked before anything is parsed, against endless data (TUF
 * specification, section 1.5.2 "Endless data attacks"). A manifest names the exact size of what it
 * points at; these caps bound what it may name.
 */
export const sizeLimit = {
  trustRootBytes: 64 * 1024,
  /** About 400 groups. */
  manifestBytes: 64 * 1024,
  groupBytes: 1024 * 1024,
  quarantineBytes: 256 * 1024,
  releaseBytes: 256 * 1024,
  artifactBytes: 5 * 1024 * 1024,
  sourceMapBytes: 20 * 1024 * 1024,
  buildRecordBytes: 4 * 1024,
  instanceReportBytes: 256 * 1024,
} as const
