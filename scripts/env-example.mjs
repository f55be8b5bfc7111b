// Writes .env.example from the settings that libs/config reads. Run after a build: npm run env:example
import { writeFileSync } from 'node:fs';
import { envExample } from '../dist/libs/config/src/env-example.js';

writeFileSync('.env.example', envExample());
