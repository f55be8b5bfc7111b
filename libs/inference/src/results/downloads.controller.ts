import { Controller, Get, Param, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ErrorAnswers } from '#http';
import { Downloads } from './downloads.service.js';

@ApiTags('inference')
@Controller()
export class DownloadsController {
  constructor(private readonly downloads: Downloads) {}

  @Get('download/:file_name')
  @ApiOperation({ summary: 'A file that a result names, for a day' })
  @ApiParam({ name: 'file_name', schema: { type: 'string', example: '0f3c6a1b2d4e5f60718293a4b5c6d7e8.png' } })
  @ApiOkResponse({
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' }, example: '<the bytes of the file>' } },
  })
  @ErrorAnswers(404, 429, 500)
  async file(@Param('file_name') name: string): Promise<StreamableFile> {
    const { content, bytes } = await this.downloads.open(name);
    return new StreamableFile(content, { type: 'application/octet-stream', disposition: 'attachment', length: bytes });
  }
}
