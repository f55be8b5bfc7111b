import { Controller, Get, Header, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ErrorAnswers } from './api-answers.js';

/** A ring of 32 by 32 pixels. */
const ICON = Buffer.from(
  'AAABAAEAICAAAAEAIAC9AAAAFgAAAIlQTkcNChoKAAAADUlIRFIAAAAgAAAAIAgGAAAAc3p69AAAAIRJREFUeNpjYBhqQD//3n98eEAspaljyLWcYkdQajFFDqG25SQ5glJDKHYEteKSLHOonZBIMo9WWYloc2lZqNDEAZSoxVBPiuXkpnK8aoeMAygpcEYdMDwcMHxzwYAXRIO2KKZrZTTg1fGgaJAMiibZgDdKB0WzfFB0TAZN12xQdE5pCQAEuX8tJXIfRgAAAABJRU5ErkJggg==',
  'base64',
);

@ApiTags('site')
@Controller()
export class SiteController {
  @Get('favicon.ico')
  @Header('Content-Type', 'image/x-icon')
  @Header('Cache-Control', 'public, max-age=86400')
  @ApiOperation({ summary: 'The icon of this site' })
  @ApiOkResponse({
    content: { 'image/x-icon': { schema: { type: 'string', format: 'binary' }, example: '<the bytes of an icon>' } },
  })
  @ErrorAnswers(429, 500)
  icon(): StreamableFile {
    return new StreamableFile(ICON);
  }
}
