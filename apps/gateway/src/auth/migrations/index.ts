import { CreateAuth1763700000000 } from './1763700000000-create-auth.js';
import { WallProjects1763900000000 } from './1763900000000-wall-projects.js';
import { AuditEntries1764000000000 } from './1764000000000-audit-entries.js';
import { NoteRotations1764400000000 } from './1764400000000-note-rotations.js';
import { ReviseProjects1764500000000 } from './1764500000000-revise-projects.js';

/** Oldest first. */
export const MIGRATIONS = [
  CreateAuth1763700000000,
  WallProjects1763900000000,
  AuditEntries1764000000000,
  NoteRotations1764400000000,
  ReviseProjects1764500000000,
];
