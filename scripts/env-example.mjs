// Writes .env.example from the settings that libs/config and the providers read. Run after a build: npm run env:example
import { writeFileSync } from 'node:fs';
import { envExample } from '../dist/libs/config/src/env-example.js';
import { providers } from '../dist/libs/inference/src/providers/index.js';

writeFileSync('.env.example', envExample(providers));
